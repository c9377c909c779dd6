/**
 * Changes to messages that are said already: another text, or none.
 *
 * Edits            save (a new text), remove (after a while in which it can be undone), undo, flush, forget, lastOwn
 */
import type { Api } from '../api/routes';
import type { Chat, Id, Message } from '../api/types';
import { applyMessage } from '../realtime/chats';
import { sentenceOf } from './problems';
import type { Replica } from './replica.svelte';

/** `waiting`: can still be undone. `failed`: the message is still there, and why. */
export interface Removal {
  message: Message;
  state: 'waiting' | 'sending' | 'failed';
  reason: string | null;
}

const UNDO_MS = 6000;

export class Edits {
  removals = $state.raw<ReadonlyMap<Id, Removal>>(new Map());
  private readonly timers = new Map<Id, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly api: Api,
    private readonly replica: Replica,
    private readonly explain: (error: unknown) => string = sentenceOf,
  ) {}

  /** Throws when the server does not take it. The same text is no change. */
  async save(message: Message, content: string): Promise<void> {
    if (content === message.content) return;
    const saved = await this.api.edit(message.chat_id, message.id, content);
    this.replica.settle((model) => applyMessage(model, saved, false));
  }

  remove(message: Message): void {
    this.set(message.id, { message, state: 'waiting', reason: null });
    this.timers.set(
      message.id,
      setTimeout(() => void this.send(message), UNDO_MS),
    );
  }

  undo(id: Id): void {
    if (this.removals.get(id)?.state === 'sending') return;
    clearTimeout(this.timers.get(id));
    this.set(id, null);
  }

  /** The page goes away, or its owner: what waits to be undone cannot be any more. */
  async flush(): Promise<void> {
    const waiting = [...this.removals.values()].filter(({ state }) => state === 'waiting');
    await Promise.all(waiting.map(({ message }) => this.send(message)));
  }

  forget(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.removals = new Map();
  }

  /** The newest message of one's own that can be edited, of those that are loaded. */
  lastOwn(items: readonly Message[]): Message | undefined {
    return items.findLast((one) => one.sender_id === this.replica.me && this.mayEdit(one));
  }

  mayEdit(message: Message): boolean {
    return message.sender_id === this.replica.me && message.deleted_at === null && !this.removals.has(message.id);
  }

  /** The sender, and who runs the chat, as far as we know who does. */
  mayRemove(message: Message, chat: Chat | undefined): boolean {
    if (message.deleted_at !== null || !chat) return false;
    if (message.sender_id === this.replica.me) return true;
    const role = this.replica.members.get(chat.id)?.find((member) => member.user_id === this.replica.me)?.role;
    return role === undefined ? chat.created_by === this.replica.me : role !== 'member';
  }

  private async send(message: Message): Promise<void> {
    clearTimeout(this.timers.get(message.id));
    this.set(message.id, { message, state: 'sending', reason: null });
    try {
      await this.api.removeMessage(message.chat_id, message.id);
      const gone = { ...message, content: '', files: [], mentions: [], deleted_at: new Date().toISOString() };
      this.replica.settle((model) => applyMessage(model, gone, false));
      this.set(message.id, null);
    } catch (error) {
      this.set(message.id, { message, state: 'failed', reason: this.explain(error) });
    }
  }

  private set(id: Id, removal: Removal | null): void {
    const removals = new Map(this.removals);
    if (removal === null) removals.delete(id);
    else removals.set(id, removal);
    this.removals = removals;
  }
}
