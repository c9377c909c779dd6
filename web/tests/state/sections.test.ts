import { beforeEach, describe, expect, it } from 'vitest';
import type { Chat } from '../../src/api/types';
import { Sections } from '../../src/state/sections.svelte';
import { chat } from '../things';

const kept = new Map<string, string>();
beforeEach(() => {
  kept.clear();
  Object.assign(globalThis, {
    localStorage: {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => kept.set(name, value),
      removeItem: (name: string) => kept.delete(name),
    },
  });
});

const list: Chat[] = [
  chat({ id: 1, name: 'plans', type: 'Group', unread_count: 2, mention_count: 1 }),
  chat({ id: 2, name: 'harbour', type: 'PublicChannel' }),
  chat({ id: 3, name: 'Bob', type: 'Single' }),
  chat({ id: 4, name: 'board', type: 'PrivateChannel' }),
  chat({ id: 5, name: 'quay', type: 'Group', unread_count: 3 }),
];
const sections = (chats = list): Sections => new Sections({ list: chats, nameOf: (one) => one.name });
const keysOf = (all: Sections, filter = ''): string[] => all.rows(filter).map((row) => row.key);

describe('the sidebar', () => {
  it('has channels, groups and people, each under its heading and in the given order', () => {
    expect(keysOf(sections())).toEqual([
      'channels',
      'chat-2',
      'chat-4',
      'groups',
      'chat-1',
      'chat-5',
      'people',
      'chat-3',
    ]);
  });

  it('has no heading without a chat', () => {
    expect(keysOf(sections(list.slice(2, 3)))).toEqual(['people', 'chat-3']);
  });

  it('shows no chats of a closed section, but what is unread in them', () => {
    const all = sections();
    all.toggle('groups');
    expect(keysOf(all)).not.toContain('chat-1');
    expect(all.rows('')).toContainEqual({ key: 'groups', section: 'groups', isOpen: false, unread: 5, mentions: 1 });
    all.toggle('groups');
    expect(all.rows('')).toContainEqual({ key: 'groups', section: 'groups', isOpen: true, unread: 0, mentions: 0 });
  });

  it('remembers what is closed on this device', () => {
    sections().toggle('people');
    expect(sections().isOpen('people')).toBe(false);
    expect(sections().isOpen('channels')).toBe(true);
  });

  it('is a plain list of what answers while one filters, also out of closed sections', () => {
    const all = sections();
    all.toggle('channels');
    expect(keysOf(all, ' bo ')).toEqual(['chat-3', 'chat-4', 'chat-2']);
    expect(keysOf(all, 'nothing')).toEqual([]);
  });
});
