/**
 * A history as the screen shows it: which message opens a day, a group of one sender, or the part not yet read.
 *
 * rowsOf           messages that are stored, then those on their way
 */
import type { Id, Message } from '../api/types';
import { dayOf } from '../i18n/time';
import type { Outgoing } from './outbox.svelte';

export interface Row {
  /** Equal for a message on its way and the same one stored, so that it stays in its place. */
  key: string;
  seq: number | null;
  senderId: Id;
  at: string;
  message: Message | null;
  outgoing: Outgoing | null;
  startsDay: boolean;
  startsGroup: boolean;
  startsUnread: boolean;
}

const GROUP_MS = 5 * 60_000;

/** `readSeq`: how far one had read when the chat was opened; null draws no line. */
export function rowsOf(
  messages: readonly Message[],
  outgoing: readonly Outgoing[],
  me: Id,
  readSeq: number | null,
): Row[] {
  const rows: Row[] = [];
  const stored = new Set<string>();
  let isUnreadOpen = readSeq !== null;
  for (const message of messages) {
    const isOwn = message.sender_id === me;
    if (isOwn && message.idempotency_key !== null) stored.add(message.idempotency_key);
    const startsUnread = isUnreadOpen && !isOwn && message.seq > (readSeq ?? 0);
    if (startsUnread) isUnreadOpen = false;
    rows.push(rowOf(rows.at(-1), storedRow(message), startsUnread));
  }
  for (const item of outgoing) {
    if (!stored.has(item.key)) rows.push(rowOf(rows.at(-1), outgoingRow(item, me), false));
  }
  return rows;
}

type Bare = Omit<Row, 'startsDay' | 'startsGroup' | 'startsUnread'>;

const storedRow = (message: Message): Bare => ({
  key: message.idempotency_key === null ? `m${message.id}` : `${message.sender_id}:${message.idempotency_key}`,
  seq: message.seq,
  senderId: message.sender_id,
  at: message.created_at,
  message,
  outgoing: null,
});

const outgoingRow = (item: Outgoing, me: Id): Bare => ({
  key: `${me}:${item.key}`,
  seq: null,
  senderId: me,
  at: item.writtenAt,
  message: null,
  outgoing: item,
});

function rowOf(before: Row | undefined, row: Bare, startsUnread: boolean): Row {
  const startsDay = !before || dayOf(before.at) !== dayOf(row.at);
  const isNear = before && Math.abs(Date.parse(row.at) - Date.parse(before.at)) < GROUP_MS;
  const isReply = (row.message?.reply_to ?? row.outgoing?.replyTo ?? null) !== null;
  const startsGroup = startsDay || startsUnread || isReply || !isNear || before.senderId !== row.senderId;
  return { ...row, startsDay, startsGroup, startsUnread };
}
