/**
 * Messages on their way. Each chat's go out one after the other, in the order they were written, each under a key
 * of its own, so that a retry can never become a second message.
 *
 * Outbox           send, retry, discard, resume (the network is back); of(chat) lists what is not yet in the history
 *
 * No answer: tried again a few times, then this one and those behind it fail together and wait for `retry` or
 * `resume`. A refusal by the server fails that one alone, and the next goes on.
 */
import { ApiError } from '../api/http';
import type { Id, Message } from '../api/types';
import { backoff } from '../realtime/backoff';

export interface Outgoing {
  key: string;
  chatId: Id;
  content: string;
  replyTo: Id | null;
  writtenAt: string;
  state: 'waiting' | 'sending' | 'failed';
  /** Why it failed: `null` is no answer from the server, a text is what the server said. */
  reason: string | null;
}

export interface OutboxOptions {
  post: (draft: Outgoing) => Promise<Message>;
  /** The message is stored: show it in the history. */
  stored: (message: Message) => void;
  isOnline?: () => boolean;
  pause?: (ms: number) => Promise<void>;
  newKey?: () => string;
}

const TRIES = 5;

export class Outbox {
  private items = $state.raw<readonly Outgoing[]>([]);
  private readonly busy = new Set<Id>();
  private era = 0;

  constructor(private readonly options: OutboxOptions) {}

  of(chatId: Id): readonly Outgoing[] {
    return this.items.filter((item) => item.chatId === chatId);
  }

  get size(): number {
    return this.items.length;
  }

  send(chatId: Id, content: string, replyTo: Id | null = null): void {
    const key = (this.options.newKey ?? (() => crypto.randomUUID()))();
    const writtenAt = new Date().toISOString();
    this.items = [...this.items, { key, chatId, content, replyTo, writtenAt, state: 'waiting', reason: null }];
    void this.work(chatId);
  }

  /** Try one again, with all that failed with it for want of an answer, in the order they were written. */
  retry(key: string): void {
    const chosen = this.items.find((item) => item.key === key);
    if (!chosen) return;
    this.requeue((item) => item.key === key || (item.chatId === chosen.chatId && item.reason === null));
    void this.work(chosen.chatId);
  }

  discard(key: string): void {
    this.items = this.items.filter((item) => item.key !== key || item.state === 'sending');
  }

  /** The network is back: what found no answer goes out by itself. */
  resume(): void {
    this.requeue((item) => item.reason === null);
    for (const chatId of new Set(this.items.map((item) => item.chatId))) void this.work(chatId);
  }

  /** An event brought the message before the answer did. */
  arrived(key: string): void {
    this.items = this.items.filter((item) => item.key !== key);
  }

  forget(): void {
    this.era += 1;
    this.items = [];
  }

  private requeue(which: (item: Outgoing) => boolean): void {
    this.items = this.items.map((item) =>
      item.state === 'failed' && which(item) ? { ...item, state: 'waiting', reason: null } : item,
    );
  }

  private async work(chatId: Id): Promise<void> {
    if (this.busy.has(chatId)) return;
    this.busy.add(chatId);
    const era = this.era;
    for (let item = this.next(chatId); item && era === this.era; item = this.next(chatId))
      await this.deliver(item, era);
    this.busy.delete(chatId);
    if (era !== this.era && this.next(chatId)) void this.work(chatId);
  }

  private next(chatId: Id): Outgoing | undefined {
    return this.items.find((item) => item.chatId === chatId && item.state === 'waiting');
  }

  private async deliver(item: Outgoing, era: number): Promise<void> {
    this.mark(item.key, 'sending');
    for (let attempt = 0; era === this.era; attempt += 1) {
      try {
        const message = await this.options.post(item);
        if (era === this.era) this.store(item.key, message);
        return;
      } catch (error) {
        if (isRefusal(error)) return this.mark(item.key, 'failed', error.detail);
        if (attempt + 1 >= TRIES || !this.isOnline()) return this.failAll(item.chatId);
        await this.pause(waitAfter(error, attempt));
      }
    }
  }

  private store(key: string, message: Message): void {
    this.options.stored(message);
    this.arrived(key);
  }

  private mark(key: string, state: Outgoing['state'], reason: string | null = null): void {
    this.items = this.items.map((item) => (item.key === key ? { ...item, state, reason } : item));
  }

  private failAll(chatId: Id): void {
    this.items = this.items.map((item) =>
      item.chatId === chatId && item.state !== 'failed' ? { ...item, state: 'failed', reason: null } : item,
    );
  }

  private isOnline(): boolean {
    return (this.options.isOnline ?? (() => navigator.onLine))();
  }

  private async pause(ms: number): Promise<void> {
    await (this.options.pause ?? ((wait) => new Promise<void>((resolve) => setTimeout(resolve, wait))))(ms);
  }
}

/** The server understood and will not have it; trying the same again cannot help. */
function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status < 500 && error.status !== 429 && error.status !== 408;
}

function waitAfter(error: unknown, attempt: number): number {
  const asked = error instanceof ApiError ? error.retryAfterMs : null;
  return asked ?? backoff(attempt, 500, 4_000);
}
