/**
 * What the page knows, as plain values that never change in place, and how two versions of a thing meet.
 *
 * Model            chats, message windows, members, people, and how far each stream is known
 * MessageWindow    the stretch of one chat's history that is loaded, without holes
 * mergePage        put a page into a window; touches: whether both make one stretch
 */
import type { Chat, ChatMember, Id, Message, Workspace } from '../api/types';
import type { ServerEvent } from './events';

export interface Person {
  id: Id;
  fullname: string;
  username: string;
  avatar: string | null;
}

/**
 * `items` ascend by `seq` without holes. `heard` holds messages outside of it that events told of: a page that was
 * asked for before the event, and comes after it, must not bring the old version back.
 */
export interface MessageWindow {
  items: readonly Message[];
  heard: ReadonlyMap<Id, Message>;
}

/** `pos`: the last event applied. `held`: events that wait while the stream's state is being fetched anew. */
export interface StreamState {
  pos: number;
  held: readonly ServerEvent[] | null;
}

export interface Model {
  me: Id;
  workspaces: ReadonlyMap<Id, Workspace>;
  chats: ReadonlyMap<Id, Chat>;
  windows: ReadonlyMap<Id, MessageWindow>;
  members: ReadonlyMap<Id, readonly ChatMember[]>;
  people: ReadonlyMap<Id, Person>;
  streams: ReadonlyMap<string, StreamState>;
  /** Events that wait while everything is being fetched anew; null in ordinary times. */
  held: readonly ServerEvent[] | null;
}

/** What the model cannot know by itself. */
export type Need =
  | { what: 'stream'; stream: string }
  | { what: 'chat'; chatId: Id }
  | { what: 'person'; userId: Id }
  | { what: 'reload' };

export interface Outcome {
  model: Model;
  needs: readonly Need[];
}

const HEARD_MAX = 200;

export const EMPTY_WINDOW: MessageWindow = { items: [], heard: new Map() };

export const emptyModel = (me: Id): Model => ({
  me,
  workspaces: new Map(),
  chats: new Map(),
  windows: new Map(),
  members: new Map(),
  people: new Map(),
  streams: new Map(),
  held: null,
});

/** Deleted beats edited, a later edit beats an earlier one; whoever comes first, the outcome is the same. */
export function newer(a: Message, b: Message): Message {
  if ((a.deleted_at === null) !== (b.deleted_at === null)) return a.deleted_at === null ? b : a;
  return Date.parse(b.edited_at ?? b.created_at) > Date.parse(a.edited_at ?? a.created_at) ? b : a;
}

/** A page replaces the window when it does not touch it, else both become one stretch. */
export function mergePage(window: MessageWindow, page: readonly Message[]): MessageWindow {
  const sorted = [...page].sort((a, b) => a.seq - b.seq);
  if (sorted.length === 0) return window;
  const items = touches(window, page) ? unite(window.items, sorted) : sorted;
  return settle({ ...window, items });
}

/** Whether a page, in any order, and the window make one stretch without a hole. */
export function touches({ items }: MessageWindow, page: readonly Message[]): boolean {
  const [first, last] = [items[0], items.at(-1)];
  if (!first || !last) return false;
  const seqs = page.map((message) => message.seq);
  return Math.min(...seqs) <= last.seq + 1 && Math.max(...seqs) >= first.seq - 1;
}

/** A message of which an event told: into the stretch if it belongs there, else remembered. */
export function hear(window: MessageWindow, message: Message): MessageWindow {
  const heard = new Map(window.heard);
  const known = heard.get(message.id);
  heard.delete(message.id);
  heard.set(message.id, known ? newer(known, message) : message);
  return settle({ ...window, heard });
}

/** Keep at most `max` messages, those at the `side` being read. */
export function trim(window: MessageWindow, max: number, side: 'start' | 'end'): MessageWindow {
  if (window.items.length <= max) return window;
  return { ...window, items: side === 'start' ? window.items.slice(0, max) : window.items.slice(-max) };
}

function unite(a: readonly Message[], b: readonly Message[]): Message[] {
  const bySeq = new Map(a.map((message) => [message.seq, message]));
  for (const message of b) {
    const known = bySeq.get(message.seq);
    bySeq.set(message.seq, known ? newer(known, message) : message);
  }
  return [...bySeq.values()].sort((x, y) => x.seq - y.seq);
}

/** Move what was heard into the stretch where it fits; forget the oldest of a long rest. */
function settle({ items, heard }: MessageWindow): MessageWindow {
  if (heard.size === 0) return { items, heard };
  const next = [...items];
  const rest = new Map<Id, Message>();
  for (const message of [...heard.values()].sort((a, b) => a.seq - b.seq)) {
    if (!place(next, message)) rest.set(message.id, message);
  }
  const ids = [...rest.keys()];
  for (const id of ids.slice(0, Math.max(0, ids.length - HEARD_MAX))) rest.delete(id);
  return { items: next, heard: rest };
}

function place(items: Message[], message: Message): boolean {
  // Nothing can be missing before the first message of a chat: it begins an empty stretch.
  const low = items[0]?.seq ?? 1;
  const high = items.at(-1)?.seq ?? 0;
  if (message.seq < low || message.seq > high + 1) return false;
  const index = message.seq - low;
  const known = items[index];
  items[index] = known ? newer(known, message) : message;
  return true;
}
