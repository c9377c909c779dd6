/**
 * Messages on their way. Each chat's go out one after the other, in the order they were written, each under a key
 * of its own, so that a retry can never become a second message.
 *
 * Outbox           load, send, retry, discard, resume (the network is back); of(chat) lists what is not yet in the history
 *
 * No answer: tried again a few times, then this one and those behind it fail together and wait for `retry` or
 * `resume`. A refusal by the server fails that one alone, and the next goes on. What is not sent when the page closes
 * lies on a shelf of the device, and `load` takes it up again.
 */
import { ApiError, isRefusal } from '../api/http';
import type { FileInfo, Id, Message } from '../api/types';
import { backoff, pause } from '../realtime/backoff';
import type { Shelf } from './shelf';

export interface Outgoing {
  key: string;
  chatId: Id;
  content: string;
  replyTo: Id | null;
  files: readonly FileInfo[];
  writtenAt: string;
  /** Grows with each message written on this device. */
  order: number;
  /** Written before the page was opened: another tab may have sent it meanwhile. */
  isOld: boolean;
  state: 'waiting' | 'sending' | 'failed';
  /** Why it failed: `null` is no answer from the server, a text is what the server said. */
  reason: string | null;
}

/** What one has written. */
export interface Letter {
  content: string;
  replyTo?: Id | null;
  files?: readonly FileInfo[];
}

export interface OutboxOptions {
  post: (draft: Outgoing) => Promise<Message>;
  /** The message is stored: show it in the history. */
  stored: (message: Message) => void;
  shelf: Shelf;
  isOnline?: () => boolean;
  /** Runs the work while no other tab sends to this chat. */
  exclusive?: (chatId: Id, work: () => Promise<void>) => Promise<void>;
  pause?: (ms: number) => Promise<void>;
  newKey?: () => string;
}

const TRIES = 5;

export class Outbox {
  private items = $state.raw<readonly Outgoing[]>([]);
  private readonly busy = new Set<Id>();
  private era = 0;
  private owner: Id | null = null;
  private order = 0;
  private loading: Promise<void> | null = null;

  constructor(private readonly options: OutboxOptions) {}

  of(chatId: Id): readonly Outgoing[] {
    return this.items.filter((item) => item.chatId === chatId);
  }

  get size(): number {
    return this.items.length;
  }

  /** Take up what one person had not sent when the page closed; it goes out first. */
  async load(owner: Id): Promise<void> {
    this.owner = owner;
    this.loading = this.takeUp(owner, this.era);
    await this.loading;
    this.loading = null;
    this.resume();
  }

  send(chatId: Id, { content, replyTo = null, files = [] }: Letter): void {
    const key = (this.options.newKey ?? (() => crypto.randomUUID()))();
    this.order = Math.max(this.order + 1, Date.now());
    const item: Outgoing = {
      ...{ key, chatId, content, replyTo, files, order: this.order, isOld: false },
      ...{ writtenAt: new Date().toISOString(), state: 'waiting', reason: null },
    };
    this.items = [...this.items, item];
    this.lay(item);
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
    if (this.items.some((item) => item.key === key && item.state !== 'sending')) this.arrived(key);
  }

  /** The network is back: what found no answer goes out by itself. */
  resume(): void {
    this.requeue((item) => item.reason === null);
    for (const chatId of new Set(this.items.map((item) => item.chatId))) void this.work(chatId);
  }

  /** An event brought the message before the answer did. */
  arrived(key: string): void {
    if (!this.items.some((item) => item.key === key)) return;
    this.items = this.items.filter((item) => item.key !== key);
    void this.options.shelf.remove(key);
  }

  /** Its owner has left: nothing of them stays on the device. */
  forget(): void {
    this.era += 1;
    this.items = [];
    this.owner = null;
    void this.options.shelf.clear();
  }

  private async takeUp(owner: Id, era: number): Promise<void> {
    const old = await this.options.shelf.load(owner);
    if (era !== this.era) return;
    const known = new Set(this.items.map((item) => item.key));
    const taken = old.filter((item) => !known.has(item.key)).map((item) => ({ ...item, isOld: true }));
    this.items = [...taken, ...this.items];
  }

  private lay(item: Outgoing): void {
    if (this.owner !== null) void this.options.shelf.put(this.owner, { ...item, state: 'failed' });
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
    if (this.loading !== null) await this.loading;
    try {
      await this.exclusively(chatId, async () => {
        for (let item = this.next(chatId); item && era === this.era; item = this.next(chatId))
          await this.deliver(item, era);
      });
    } finally {
      this.busy.delete(chatId);
    }
    // Written after the last look, while the work was not known to be done yet; or for the next owner.
    if (this.next(chatId)) void this.work(chatId);
  }

  private next(chatId: Id): Outgoing | undefined {
    return this.items.find((item) => item.chatId === chatId && item.state === 'waiting');
  }

  private async deliver(item: Outgoing, era: number): Promise<void> {
    this.mark(item.key, 'sending');
    if (item.isOld && !(await this.options.shelf.has(item.key))) return this.arrived(item.key);
    for (let attempt = 0; era === this.era; attempt += 1) {
      try {
        const message = await this.options.post(item);
        if (era === this.era) this.store(item.key, message);
        return;
      } catch (error) {
        if (isRefusal(error) && error.status !== 408) return this.refuse(item.key, error.detail);
        if (attempt + 1 >= TRIES || !this.isOnline()) return this.failAll(item.chatId);
        await this.pause(waitAfter(error, attempt));
      }
    }
  }

  private store(key: string, message: Message): void {
    this.options.stored(message);
    this.arrived(key);
  }

  private refuse(key: string, reason: string): void {
    this.mark(key, 'failed', reason);
    const item = this.items.find((one) => one.key === key);
    if (item) this.lay(item);
  }

  private mark(key: string, state: Outgoing['state'], reason: string | null = null): void {
    this.items = this.items.map((item) => (item.key === key ? { ...item, state, reason } : item));
  }

  private failAll(chatId: Id): void {
    this.items = this.items.map((item) =>
      item.chatId === chatId && item.state !== 'failed' ? { ...item, state: 'failed', reason: null } : item,
    );
  }

  private async exclusively(chatId: Id, work: () => Promise<void>): Promise<void> {
    if (!this.next(chatId)) return;
    await (this.options.exclusive ? this.options.exclusive(chatId, work) : work());
  }

  private isOnline(): boolean {
    return (this.options.isOnline ?? (() => navigator.onLine))();
  }

  private async pause(ms: number): Promise<void> {
    await (this.options.pause ?? pause)(ms);
  }
}

/** One tab at a time; what it has sent, the next one no longer finds on the shelf. */
export async function byLock(chatId: Id, work: () => Promise<void>): Promise<void> {
  if ('locks' in navigator) await navigator.locks.request(`fechatter-outbox-${chatId}`, work);
  else await work();
}

function waitAfter(error: unknown, attempt: number): number {
  const asked = error instanceof ApiError ? error.retryAfterMs : null;
  return asked ?? backoff(attempt, 500, 4_000);
}
