/**
 * How chats and their messages change. Pure; every function may be applied twice with the same outcome.
 *
 * applyMessage     a message was said, edited or deleted
 * applyChat        a chat is new or was changed; applyChatGone: deleted, or no longer ours
 * applyRead        how far we have read (never moves back)
 * snapshotChat     what the server says of a chat when asked; withChat: the model with it
 */
import type { Chat, Id, Message } from '../api/types';
import { EMPTY_WINDOW, hear, newer, trim, type Model, type Outcome } from './model';

/** A chat that nobody scrolls does not grow for ever. Far more than the screen's own limit, which is first to act. */
const UNWATCHED_MAX = 1000;

export function applyMessage(model: Model, message: Message, isNew: boolean): Outcome {
  const window = model.windows.get(message.chat_id);
  const windows = window
    ? new Map(model.windows).set(message.chat_id, trim(hear(window, message), UNWATCHED_MAX, 'end'))
    : model.windows;
  const chat = model.chats.get(message.chat_id);
  if (!chat) return { model: { ...model, windows }, needs: isNew ? [{ what: 'chat', chatId: message.chat_id }] : [] };
  const changed = withMessage(chat, message, model.me);
  return { model: { ...model, windows, chats: new Map(model.chats).set(chat.id, changed) }, needs: [] };
}

/** An event's chat is seen by all its members: our own counts stay, a chat we did not know starts as a newcomer's. */
export function applyChat(model: Model, payload: Chat): Outcome {
  const known = model.chats.get(payload.id);
  if (known && Date.parse(payload.updated_at) < Date.parse(known.updated_at)) return { model, needs: [] };
  const chat = known
    ? {
        ...known,
        name: payload.name,
        type: payload.type,
        description: payload.description,
        member_count: payload.member_count,
        updated_at: payload.updated_at,
      }
    : payload;
  return { model: { ...model, chats: new Map(model.chats).set(chat.id, chat) }, needs: [] };
}

export function applyChatGone(model: Model, chatId: Id): Outcome {
  const [chats, windows, members] = [new Map(model.chats), new Map(model.windows), new Map(model.members)];
  chats.delete(chatId);
  windows.delete(chatId);
  members.delete(chatId);
  return { model: { ...model, chats, windows, members }, needs: [] };
}

export function applyRead(model: Model, read: { chat_id: Id; last_read_seq: number }): Model {
  const chat = model.chats.get(read.chat_id);
  if (!chat || read.last_read_seq <= chat.last_read_seq) return model;
  return { ...model, chats: new Map(model.chats).set(chat.id, counted(chat, read.last_read_seq)) };
}

/** The server's word on a chat, unless events have brought us further meanwhile. */
export function snapshotChat(known: Chat | undefined, fresh: Chat): Chat {
  if (!known) return fresh;
  const ahead = known.last_seq > fresh.last_seq;
  const base: Chat = ahead ? { ...fresh, last_seq: known.last_seq, last_message: known.last_message } : fresh;
  const read = Math.max(known.last_read_seq, fresh.last_read_seq);
  if (!ahead && read === fresh.last_read_seq) return base;
  return { ...counted(base, read), mention_count: ahead ? known.mention_count : base.mention_count };
}

export function withChat(model: Model, fresh: Chat): Model {
  return { ...model, chats: new Map(model.chats).set(fresh.id, snapshotChat(model.chats.get(fresh.id), fresh)) };
}

export function openWindow(model: Model, chatId: Id): Model {
  if (model.windows.has(chatId)) return model;
  return { ...model, windows: new Map(model.windows).set(chatId, EMPTY_WINDOW) };
}

function withMessage(chat: Chat, message: Message, me: Id): Chat {
  const last = chat.last_message;
  if (message.seq <= chat.last_seq) {
    return last?.id === message.id ? { ...chat, last_message: newer(last, message) } : chat;
  }
  const next = { ...chat, last_seq: message.seq, last_message: message };
  if (message.sender_id === me) return counted(next, message.seq);
  const mentioned = message.mentions.includes(me) ? 1 : 0;
  return { ...counted(next, chat.last_read_seq), mention_count: chat.mention_count + mentioned };
}

function counted(chat: Chat, lastRead: number): Chat {
  const last_read_seq = Math.min(lastRead, chat.last_seq);
  const unread_count = Math.max(0, chat.last_seq - last_read_seq);
  return { ...chat, last_read_seq, unread_count, mention_count: unread_count === 0 ? 0 : chat.mention_count };
}
