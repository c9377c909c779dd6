/**
 * The sidebar as rows: a heading for each kind of chat, the chats under it; or, while one filters, what answers.
 *
 * Sections         rows(filter); isOpen and toggle, remembered on this device
 */
import type { Chat, ChatType } from '../api/types';
import { i18n } from '../i18n/i18n.svelte';
import type { Chats } from './chats.svelte';
import { keep, recall } from './device';
import { matching } from './matches';

export const SECTIONS = ['channels', 'groups', 'people'] as const;
export type Section = (typeof SECTIONS)[number];

/** `unread` and `mentions` are the sums of a closed section: an open one shows them at its chats. */
export interface Heading {
  key: string;
  section: Section;
  isOpen: boolean;
  unread: number;
  mentions: number;
}

export interface ChatEntry {
  key: string;
  chat: Chat;
}

export type SidebarRow = Heading | ChatEntry;

const KEPT = 'sections.closed';
const SECTION_OF: Readonly<Record<ChatType, Section>> = {
  PublicChannel: 'channels',
  PrivateChannel: 'channels',
  Group: 'groups',
  Single: 'people',
};

export class Sections {
  private closed = $state.raw<readonly Section[]>(remembered());

  constructor(private readonly chats: Pick<Chats, 'list' | 'nameOf'>) {}

  isOpen(section: Section): boolean {
    return !this.closed.includes(section);
  }

  toggle(section: Section): void {
    this.closed = this.isOpen(section) ? [...this.closed, section] : this.closed.filter((one) => one !== section);
    keep(KEPT, this.closed.join(' '));
  }

  rows(filter: string): SidebarRow[] {
    const { list } = this.chats;
    if (filter.trim()) return matching(list, (chat) => this.chats.nameOf(chat), filter, i18n.locale).map(entryOf);
    return SECTIONS.flatMap((section) =>
      this.rowsOf(
        section,
        list.filter((chat) => SECTION_OF[chat.type] === section),
      ),
    );
  }

  private rowsOf(section: Section, chats: readonly Chat[]): SidebarRow[] {
    if (chats.length === 0) return [];
    const isOpen = this.isOpen(section);
    const sum = (countOf: (chat: Chat) => number): number =>
      isOpen ? 0 : chats.reduce((total, chat) => total + countOf(chat), 0);
    const unread = sum((chat) => chat.unread_count);
    const mentions = sum((chat) => chat.mention_count);
    const heading: Heading = { key: section, section, isOpen, unread, mentions };
    return isOpen ? [heading, ...chats.map(entryOf)] : [heading];
  }
}

const entryOf = (chat: Chat): ChatEntry => ({ key: `chat-${chat.id}`, chat });

function remembered(): Section[] {
  const kept = recall(KEPT)?.split(' ') ?? [];
  return SECTIONS.filter((section) => kept.includes(section));
}
