/**
 * The histories of chats: which stretch of each is loaded, and how it grows at both ends.
 *
 * Messages         window, open, loadOlder, loadNewer, loadAround, loadNewest, findAt, refresh, read
 *
 * Only the chat on the screen is kept up to date; a chat that is left keeps its newest page to open quickly again.
 */
import { PAGE_SIZE, type Api, type Place } from '../api/routes';
import { ApiError, isRefusal } from '../api/http';
import type { Id, Message } from '../api/types';
import { backoff, pause } from '../realtime/backoff';
import { applyRead, openWindow } from '../realtime/chats';
import { EMPTY_WINDOW, mergePage, touches, trim, type MessageWindow } from '../realtime/model';
import type { Replica } from './replica.svelte';

export type LoadState = 'idle' | 'loading' | 'failed' | 'gone';

/** More than this is never held of one chat; the far end is let go. */
const WINDOW_MAX = 400;
const KEPT_OF_LEFT_CHAT = 50;
/** So many chats that were left are kept; the one left first is let go. */
const LEFT_CHATS_MAX = 20;
/** A longer absence than this is not filled in page by page: the end is loaded instead. */
const FILL_MAX = 300;
const FILL_PAGE = 100;
/** Who scrolls asks for more at a time than who opens a chat. */
const SCROLL_PAGE = 100;

export class Messages {
  /** The chat on the screen. */
  current = $state<Id | null>(null);
  state = $state<LoadState>('idle');
  olderState = $state<LoadState>('idle');
  newerState = $state<LoadState>('idle');
  /** The chats that were opened, the last one first. */
  recent: readonly Id[] = [];
  private turns = 0;
  private readonly marked = new Map<Id, number>();

  constructor(
    private readonly api: Api,
    private readonly replica: Replica,
  ) {}

  window(chatId: Id): MessageWindow {
    return this.replica.windows.get(chatId) ?? EMPTY_WINDOW;
  }

  atStart(chatId: Id): boolean {
    const first = this.window(chatId).items[0];
    return first ? first.seq <= 1 : this.replica.chats.get(chatId)?.last_seq === 0;
  }

  atEnd(chatId: Id): boolean {
    const last = this.window(chatId).items.at(-1)?.seq ?? 0;
    return last >= (this.replica.chats.get(chatId)?.last_seq ?? 0);
  }

  /** Show a chat: its newest messages, or those around one. */
  async open(chatId: Id, around: Id | null): Promise<void> {
    if (this.current !== null && this.current !== chatId) this.leave(this.current);
    this.turn();
    this.current = chatId;
    this.recent = [chatId, ...this.recent.filter((id) => id !== chatId)];
    this.replica.change((model) => openWindow(model, chatId));
    const items = this.window(chatId).items;
    if (around !== null && !items.some((message) => message.id === around)) await this.loadAround(chatId, around);
    else if (around === null && (items.length === 0 || !this.atEnd(chatId))) await this.loadNewest(chatId);
  }

  async loadNewest(chatId: Id): Promise<void> {
    await this.load(chatId, {}, 'state');
  }

  async loadAround(chatId: Id, messageId: Id): Promise<void> {
    await this.load(chatId, { around_id: messageId }, 'state');
  }

  async loadOlder(chatId: Id): Promise<void> {
    const first = this.window(chatId).items[0];
    if (!first || this.atStart(chatId) || this.olderState === 'loading') return;
    await this.load(chatId, { before_id: first.id }, 'olderState');
  }

  async loadNewer(chatId: Id): Promise<void> {
    const last = this.window(chatId).items.at(-1);
    if (!last || this.atEnd(chatId) || this.newerState === 'loading') return;
    await this.load(chatId, { after_id: last.id }, 'newerState');
  }

  /** Load what was said around a moment; the first message from then on, or the last one before. Throws without an answer. */
  async findAt(chatId: Id, at: Date): Promise<Id | null> {
    const page = await this.api.messages(chatId, { at: at.toISOString() });
    if (this.current !== chatId) return null;
    const ascending = [...page].sort((a, b) => a.seq - b.seq);
    this.turn();
    this.put(chatId, ascending);
    const found = ascending.find((message) => Date.parse(message.created_at) >= at.getTime()) ?? ascending.at(-1);
    return found?.id ?? null;
  }

  /** Let go of what is far from the side being read. */
  trim(chatId: Id, side: 'start' | 'end'): void {
    this.changeWindow(chatId, (window) => trim(window, WINDOW_MAX, side));
  }

  isLong(chatId: Id): boolean {
    return this.window(chatId).items.length > WINDOW_MAX;
  }

  /** Bring the chat on the screen up to date after an absence, and let go of the others. Throws when it cannot. */
  async refresh(only: Id | null = null): Promise<void> {
    const chatId = this.current;
    this.replica.change((model) => ({
      ...model,
      windows: new Map([...model.windows].filter(([id]) => id === chatId || (only !== null && id !== only))),
    }));
    if (chatId === null || (only !== null && only !== chatId)) return;
    if (!this.replica.chats.has(chatId)) return;
    await this.catchUp(chatId);
  }

  /** Tell the server how far the chat has been read. */
  async read(chatId: Id, seq: number): Promise<void> {
    const chat = this.replica.chats.get(chatId);
    if (!chat || seq <= chat.last_read_seq || seq <= (this.marked.get(chatId) ?? 0)) return;
    this.marked.set(chatId, seq);
    this.replica.change((model) => applyRead(model, { chat_id: chatId, last_read_seq: seq }));
    await this.tell(chatId, seq);
  }

  /** Until the server knows, has refused, or more has been read: here it counts as read, and nothing would say it again. */
  private async tell(chatId: Id, seq: number): Promise<void> {
    for (let attempt = 0; this.marked.get(chatId) === seq; attempt += 1) {
      try {
        await this.api.read(chatId, seq);
        return;
      } catch (error) {
        if (isRefusal(error)) return;
        await pause(backoff(attempt));
      }
    }
  }

  forget(): void {
    this.current = null;
    this.recent = [];
    this.turn();
    this.marked.clear();
  }

  private leave(chatId: Id): void {
    const window = this.window(chatId);
    const left = this.atEnd(chatId) ? trim(window, KEPT_OF_LEFT_CHAT, 'end') : { ...window, items: [] };
    this.replica.change((model) => {
      const windows = new Map(model.windows);
      windows.delete(chatId);
      for (const oldest of windows.keys()) {
        if (windows.size < LEFT_CHATS_MAX) break;
        windows.delete(oldest);
      }
      return { ...model, windows: windows.set(chatId, left) };
    });
  }

  /** To another stretch of history: what was on its way to the one before would take its place. */
  private turn(): void {
    this.turns += 1;
    this.state = this.olderState = this.newerState = 'idle';
  }

  private async load(chatId: Id, place: Place, slot: 'state' | 'olderState' | 'newerState'): Promise<void> {
    if (slot === 'state') this.turn();
    const turn = this.turns;
    this[slot] = 'loading';
    try {
      const page = await this.api.messages(chatId, place, slot === 'state' ? PAGE_SIZE : SCROLL_PAGE);
      if (this.current !== chatId || turn !== this.turns) return;
      this.put(chatId, page);
      this[slot] = 'idle';
    } catch (error) {
      if (this.current !== chatId || turn !== this.turns) return;
      this[slot] = error instanceof ApiError && error.status === 404 ? 'gone' : 'failed';
    }
  }

  /** The stretch that is there now: another, to which one goes meanwhile, is as new as the answer that brings it. */
  private async catchUp(chatId: Id): Promise<void> {
    const items = this.window(chatId).items;
    const [first, last] = [items[0], items.at(-1)];
    const end = this.replica.chats.get(chatId)?.last_seq ?? 0;
    if (!first || !last || end - last.seq > FILL_MAX) {
      const page = await this.api.messages(chatId, {});
      if (this.window(chatId).items.at(-1)?.id === last?.id) this.put(chatId, page);
      return;
    }
    let after = first.id;
    for (;;) {
      const page = await this.api.messages(chatId, { after_id: after }, FILL_PAGE);
      if (touches(this.window(chatId), page)) this.put(chatId, page);
      const newest = page.at(-1);
      if (!newest || page.length < FILL_PAGE) return;
      after = newest.id;
    }
  }

  private put(chatId: Id, page: readonly Message[]): void {
    this.changeWindow(chatId, (window) => mergePage(window, page));
  }

  private changeWindow(chatId: Id, change: (window: MessageWindow) => MessageWindow): void {
    this.replica.change((model) => {
      const window = change(model.windows.get(chatId) ?? EMPTY_WINDOW);
      return { ...model, windows: new Map(model.windows).set(chatId, window) };
    });
  }
}
