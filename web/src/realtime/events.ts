/**
 * The catalogue of events, as a union told apart by `type`.
 *
 * ServerEvent     every event the page may hear
 * readEvent       one event out of the text of a frame; a type that is not known keeps its place in its stream
 */
import type { Chat, Id, Membership, Message, User, Workspace, WorkspaceMember } from '../api/types';

/** `stream` and `pos` place an event; ephemeral ones have no `pos`, `hello` and `goodbye` no stream either. */
interface Envelope<Type extends string, Payload> {
  type: Type;
  stream: string | null;
  pos: number | null;
  chat_id: Id | null;
  at: string;
  payload: Payload;
}

export interface Hello {
  user_id: Id;
  session_id: Id;
  cursor: string;
  heartbeat_s: number;
}

/** `retry_ms`: wait so long before coming back. */
export interface Goodbye {
  code: number;
  reason: string;
  reconnect: boolean;
  retry_ms: number;
}

export interface Receipt {
  chat_id: Id;
  user_id: Id;
  last_read_seq: number;
}

export interface Presence {
  user_id: Id;
  status: 'online' | 'away' | 'busy' | 'offline';
  text: string | null;
  last_seen_at: string | null;
}

export type MessageChange =
  Envelope<'message.created', Message> | Envelope<'message.updated', Message> | Envelope<'message.deleted', Message>;

export type ServerEvent =
  | MessageChange
  | Envelope<'chat.created', Chat>
  | Envelope<'chat.updated', Chat>
  | Envelope<'chat.deleted', Chat>
  | Envelope<'member.added', Membership>
  | Envelope<'member.removed', Membership>
  | Envelope<'member.updated', Membership>
  | Envelope<'workspace.updated', Workspace>
  | Envelope<'workspace.member_added', WorkspaceMember>
  | Envelope<'workspace.member_removed', WorkspaceMember>
  | Envelope<'workspace.member_updated', WorkspaceMember>
  | Envelope<'user.updated', User>
  | Envelope<'presence.changed', Presence>
  | Envelope<'typing', { chat_id: Id; user_id: Id }>
  | Envelope<'receipt.updated', Receipt>
  | Envelope<'hello', Hello>
  | Envelope<'resync_required', { reason: string; cursor: string }>
  | Envelope<'goodbye', Goodbye>
  | Envelope<'unknown', null>;

export type EventType = ServerEvent['type'];

const KNOWN: ReadonlySet<string> = new Set<EventType>([
  'message.created',
  'message.updated',
  'message.deleted',
  'chat.created',
  'chat.updated',
  'chat.deleted',
  'member.added',
  'member.removed',
  'member.updated',
  'workspace.updated',
  'workspace.member_added',
  'workspace.member_removed',
  'workspace.member_updated',
  'user.updated',
  'presence.changed',
  'typing',
  'receipt.updated',
  'hello',
  'resync_required',
  'goodbye',
]);

export function readEvent(data: string): ServerEvent | null {
  const event = parse(data);
  if (event === null || typeof event.type !== 'string') return null;
  const placed = { ...event, stream: event.stream ?? null, pos: event.pos ?? null, chat_id: event.chat_id ?? null };
  if (KNOWN.has(event.type)) return placed as ServerEvent;
  return { ...placed, type: 'unknown', payload: null } as ServerEvent;
}

function parse(data: string): Partial<ServerEvent> | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
