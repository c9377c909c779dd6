/**
 * What could complete the name that is being typed: members of the chat, channels, emoji.
 *
 * Completions      look (at the text and the caret), options, active, move, dismiss; closed (an emoji's whole name)
 */
import type { Chat, Id } from '../api/types';
import { findEmoji, loadEmoji, type Emoji } from '../emoji/emoji';
import { i18n } from '../i18n/i18n.svelte';
import type { App } from '../state/app.svelte';
import { matching } from '../state/matches';
import { chatPath } from '../state/routes';
import type { Edit } from './edits';
import { closedAt, triggerAt, type Trigger } from './trigger';

export interface Option {
  key: string;
  /** What goes into the text. */
  text: string;
  label: string;
  hint: string;
  person: { id: Id; avatar: string | null } | null;
  sign: string;
}

const MOST = 8;

export class Completions {
  trigger = $state.raw<Trigger | null>(null);
  active = $state(0);
  private emoji = $state.raw<readonly Emoji[]>([]);
  private dismissed: number | null = null;

  readonly options = $derived.by((): Option[] => {
    if (this.trigger === null) return [];
    const { kind, query } = this.trigger;
    if (kind === '@') return this.people(query);
    return kind === '#' ? this.channels(query) : this.emojis(query);
  });

  /** What is typed is what the chosen one would put there. */
  get isWritten(): boolean {
    const typed = this.trigger && `${this.trigger.kind}${this.trigger.query}`.toLowerCase();
    return this.options[this.active]?.text.toLowerCase() === typed;
  }

  constructor(
    private readonly app: App,
    private readonly chatId: Id,
  ) {}

  /** After each change of the text, and of the caret. */
  look(text: string, caret: number): void {
    const found = triggerAt(text, caret);
    if (found === null || found.start !== this.dismissed) this.dismissed = null;
    const next = found?.start === this.dismissed && found !== null ? null : found;
    if (next?.kind !== this.trigger?.kind || next?.query !== this.trigger?.query) this.active = 0;
    this.trigger = next;
    if (next !== null) this.fetch(next.kind);
  }

  /** What a name that was just written out between colons stands for. */
  closed(text: string, caret: number): Edit | null {
    const trigger = closedAt(text, caret);
    const found = trigger && this.emoji.find(({ names }) => names.includes(trigger.query.toLowerCase()));
    if (!trigger || !found) return null;
    const end = trigger.start + found.text.length;
    return { from: trigger.start, to: caret, text: found.text, start: end, end };
  }

  move(by: number): void {
    const count = this.options.length;
    this.active = (this.active + by + count) % count;
  }

  /** Not again for this sign, until another is typed. */
  dismiss(): void {
    this.dismissed = this.trigger?.start ?? null;
    this.trigger = null;
  }

  close(): void {
    this.trigger = null;
    this.dismissed = null;
  }

  /** Without an answer there is nothing to choose from; the next key asks again. */
  private fetch(kind: Trigger['kind']): void {
    if (kind === '@' && !this.app.replica.members.has(this.chatId))
      this.app.people.loadMembers(this.chatId).catch(() => undefined);
    if (kind === ':')
      loadEmoji(i18n.locale).then(
        (emoji) => (this.emoji = emoji),
        () => undefined,
      );
  }

  private people(query: string): Option[] {
    const members = (this.app.replica.members.get(this.chatId) ?? []).map((member) => ({
      ...member,
      ...this.app.people.get(member.user_id),
    }));
    const known = members.filter((member) => member.username !== '' && member.user_id !== this.app.replica.me);
    return matching(known, (member) => `${member.fullname} ${member.username}`, query, i18n.locale)
      .slice(0, MOST)
      .map(({ user_id, username, fullname, avatar }) => ({
        ...{ key: `@${user_id}`, text: `@${username}`, label: fullname, hint: `@${username}`, sign: '' },
        person: { id: user_id, avatar },
      }));
  }

  private channels(query: string): Option[] {
    const channels = this.app.chats.list.filter((chat) => chat.type.endsWith('Channel'));
    return matching(channels, (chat) => chat.name, query, i18n.locale)
      .slice(0, MOST)
      .map((chat) => ({
        ...{ key: `#${chat.id}`, text: referenceTo(chat), label: chat.name, hint: chat.description ?? '', sign: '#' },
        person: null,
      }));
  }

  private emojis(query: string): Option[] {
    return findEmoji(this.emoji, query, MOST).map(({ text, names, label }) => ({
      ...{
        key: text,
        text,
        label: `:${names.find((name) => name.startsWith(query.toLowerCase())) ?? names[0] ?? ''}:`,
        hint: label,
        sign: text,
      },
      person: null,
    }));
  }
}

/** A name of one word is one; another becomes a link, or nobody could tell where it ends. */
function referenceTo(chat: Chat): string {
  if (/^[\p{L}\p{N}](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}])?$/u.test(chat.name)) return `#${chat.name}`;
  return `[#${chat.name.replace(/[[\]\\]/g, '\\$&')}](${location.origin}${chatPath(chat.id)})`;
}
