import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/i18n/catalogue';
import { chooseLocale, i18n, locales } from '../../src/i18n/i18n.svelte';
import en from '../../src/i18n/locales/en';
import zh from '../../src/i18n/locales/zh';

const english: Readonly<Record<string, Entry>> = en;
const others: readonly [string, Readonly<Record<string, Entry>>][] = [['zh', zh]];
const formsOf = (entry: Entry): string[] => (typeof entry === 'string' ? [entry] : Object.values(entry));
const holesOf = (entry: Entry): string[] =>
  [
    ...new Set(
      formsOf(entry)
        .join(' ')
        .match(/\{\w+\}/g) ?? [],
    ),
  ].sort();

describe('languages', () => {
  it('are all tested here', () => {
    expect([...locales].sort()).toEqual(['en', ...others.map(([code]) => code)].sort());
  });

  it.each(others)('%s has the keys of English, no more and no fewer', (_, words) => {
    expect(Object.keys(words).sort()).toEqual(Object.keys(english).sort());
  });

  it.each(others)('%s fills the same holes as English', (_, words) => {
    for (const key of Object.keys(english)) {
      expect([key, holesOf(words[key] ?? '')]).toEqual([key, holesOf(english[key] ?? '')]);
    }
  });

  it.each([['en', en] as const, ...others])('%s has every plural form that the language has', (code, words) => {
    const forms = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
    for (const [key, entry] of Object.entries(words as Record<string, Entry>)) {
      expect([key, formsOf(entry).every((text) => text.trim() !== '')]).toEqual([key, true]);
      if (typeof entry !== 'string') expect([key, Object.keys(entry).sort()]).toEqual([key, [...forms].sort()]);
    }
  });
});

describe('choosing a language', () => {
  it('takes the first wanted that is there, by its tag or its language', () => {
    expect(chooseLocale([null, 'fr-FR', 'zh-Hans-CN', 'en'], ['en', 'zh'])).toBe('zh');
    expect(chooseLocale(['pt-BR', 'pt'], ['en', 'pt', 'pt-br'])).toBe('pt-br');
  });

  it('falls back to English', () => {
    expect(chooseLocale(['fr', 'de'], ['en', 'zh'])).toBe('en');
  });
});

describe('words', () => {
  it('choose the plural and format numbers as the language does', async () => {
    Object.assign(globalThis, { document: { documentElement: {} } });
    await i18n.use('en');
    expect(i18n.t('chats.unread', { count: 1 })).toBe('1 unread message');
    expect(i18n.t('chats.unread', { count: 12_345 })).toBe('12,345 unread messages');
    await i18n.use('zh');
    expect(i18n.t('chats.unread', { count: 1 })).toBe('1 条未读消息');
  });

  it('put values in as they are', async () => {
    Object.assign(globalThis, { document: { documentElement: {} } });
    await i18n.use('en');
    expect(i18n.t('chats.noMatch', { q: '$& {q} <b>' })).toBe('No chat matches “$& {q} <b>”.');
  });
});
