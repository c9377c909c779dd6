/** Chats, messages and events for tests, with what matters named and the rest filled in. */
import type { Chat, Message } from '../src/api/types';
import type { ServerEvent } from '../src/realtime/events';

export const AT = '2026-01-05T10:00:00Z';

export const later = (seconds: number): string => new Date(Date.parse(AT) + seconds * 1000).toISOString();

export function message(seq: number, given: Partial<Message> = {}): Message {
  return {
    id: 1000 + seq,
    chat_id: 1,
    seq,
    sender_id: 2,
    content: `message ${seq}`,
    files: [],
    reply_to: null,
    mentions: [],
    created_at: later(seq),
    edited_at: null,
    deleted_at: null,
    idempotency_key: null,
    ...given,
  };
}

export function chat(given: Partial<Chat> = {}): Chat {
  return {
    id: 1,
    workspace_id: 1,
    name: 'general',
    type: 'PublicChannel',
    description: null,
    created_by: 2,
    created_at: AT,
    updated_at: AT,
    member_count: 2,
    member_ids: null,
    last_message: null,
    last_seq: 0,
    last_read_seq: 0,
    unread_count: 0,
    mention_count: 0,
    ...given,
  };
}

export function event<T extends ServerEvent['type']>(
  type: T,
  payload: Extract<ServerEvent, { type: T }>['payload'],
  pos: number | null = null,
  stream = 'chat:1',
): ServerEvent {
  return { type, payload, pos, stream, chat_id: 1, at: AT } as ServerEvent;
}
