/**
 * Emoji by name, fetched when they are first asked for.
 *
 * loadEmoji        all of them, in the reader's language
 * findEmoji        those that answer to a word, the best first
 * recentEmoji, remember  those used last on this device
 */
import { keep, recall } from '../state/device';

export interface Emoji {
  text: string;
  /** What stands between colons: `thumbsup`. */
  names: readonly string[];
  label: string;
  words: string;
  group: number;
}

type Rows = readonly (readonly [text: string, names: string, label: string, words: string, group: number])[];

/** A language that has no names of its own has the English ones. */
const languages: Record<string, () => Promise<{ default: Rows }>> = {
  en: () => import('virtual:emoji/en'),
  zh: () => import('virtual:emoji/zh'),
};
const loaded = new Map<string, Promise<readonly Emoji[]>>();
const RECENT = 'emoji';
const RECENT_MAX = 24;

export function loadEmoji(locale: string): Promise<readonly Emoji[]> {
  const known = loaded.get(locale);
  if (known) return known;
  const loading = load(locale);
  loaded.set(locale, loading);
  loading.catch(() => loaded.delete(locale));
  return loading;
}

export function findEmoji(all: readonly Emoji[], query: string, most: number): Emoji[] {
  const wanted = query.trim().toLowerCase();
  return all
    .map((emoji) => ({ emoji, rank: rankOf(emoji, wanted) }))
    .filter(({ rank }) => rank < NONE)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ emoji }) => emoji);
}

export function recentEmoji(): string[] {
  return (recall(RECENT) ?? '').split(' ').filter(Boolean);
}

export function remember(text: string): void {
  keep(RECENT, [text, ...recentEmoji().filter((one) => one !== text)].slice(0, RECENT_MAX).join(' '));
}

const NONE = 5;

function rankOf({ names, label, words }: Emoji, wanted: string): number {
  if (names.includes(wanted)) return 0;
  if (names.some((name) => name.startsWith(wanted))) return 1;
  const all = `${label} ${words}`.toLowerCase();
  if (all.split(' ').some((word) => word.startsWith(wanted))) return 2;
  if (names.some((name) => name.includes(wanted))) return 3;
  return all.includes(wanted) ? 4 : NONE;
}

async function load(locale: string): Promise<readonly Emoji[]> {
  const rows = (await (languages[locale] ?? (() => import('virtual:emoji/en')))()).default;
  return rows.map(([text, names, label, words, group]) => ({ text, names: names.split(' '), label, words, group }));
}
