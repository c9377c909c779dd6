/**
 * Who is writing just now.
 *
 * Typing           tell (that we are), of(chat): the others who are
 */
import type { Api } from '../api/routes';
import type { Id } from '../api/types';
import type { Replica } from './replica.svelte';

/** The server passes on one in this time. */
const TELL_MS = 3000;
/** Who has not been heard of for so long has stopped. */
const FADE_MS = 6000;

export class Typing {
  private writers = $state.raw<ReadonlyMap<string, { chatId: Id; userId: Id }>>(new Map());
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly told = new Map<Id, number>();

  constructor(
    private readonly api: Pick<Api, 'typing'>,
    private readonly replica: Replica,
  ) {
    replica.onEvent((event) => {
      if (event.type === 'typing') this.hear(event.payload.chat_id, event.payload.user_id);
      if (event.type === 'message.created') this.stop(keyOf(event.payload.chat_id, event.payload.sender_id));
    });
  }

  of(chatId: Id): Id[] {
    return [...this.writers.values()].filter((one) => one.chatId === chatId).map((one) => one.userId);
  }

  /** Called for every key; says so at most once in three seconds. Lost, it is said again by the next key. */
  tell(chatId: Id): void {
    const now = Date.now();
    if (now - (this.told.get(chatId) ?? 0) < TELL_MS) return;
    this.told.set(chatId, now);
    this.api.typing(chatId).catch(() => this.told.delete(chatId));
  }

  /** A message was sent: what is written next is news again. */
  said(chatId: Id): void {
    this.told.delete(chatId);
  }

  private hear(chatId: Id, userId: Id): void {
    if (userId === this.replica.me) return;
    const key = keyOf(chatId, userId);
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => this.stop(key), FADE_MS),
    );
    this.writers = new Map(this.writers).set(key, { chatId, userId });
  }

  private stop(key: string): void {
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
    if (!this.writers.has(key)) return;
    const writers = new Map(this.writers);
    writers.delete(key);
    this.writers = writers;
  }
}

const keyOf = (chatId: Id, userId: Id): string => `${chatId}:${userId}`;
