/**
 * The one place where an event becomes state. Pure: a model and an event give a model and what is to be fetched.
 *
 * reduce           one event
 * endHealing       a stream with a hole has its state anew: let in the events that were held back meanwhile
 * beginReload      hold every event back while everything is fetched anew; endReload lets them in
 */
import type { ChatMember, Id } from '../api/types';
import { applyChat, applyChatGone, applyMessage, applyRead } from './chats';
import type { ServerEvent } from './events';
import type { Model, Need, Outcome, StreamState } from './model';

/** Events at or below the known position are dropped; a hole in the positions asks for the stream's state. */
export function reduce(model: Model, event: ServerEvent): Outcome {
  if (event.type === 'resync_required') return { model: beginReload(model), needs: [{ what: 'reload' }] };
  if (model.held) return { model: { ...model, held: [...model.held, event] }, needs: [] };
  const { stream, pos } = event;
  if (stream === null || pos === null) return apply(model, event);
  const state = model.streams.get(stream);
  if (state && pos <= state.pos) return { model, needs: [] };
  if (state?.held) return { model: withStream(model, stream, { ...state, held: [...state.held, event] }), needs: [] };
  if (state && pos > state.pos + 1) return gap(model, stream, pos, event);
  return apply(withStream(model, stream, { pos, held: null }), event);
}

/** The stream's state is here, and holds all up to the first held event at least: let the held ones in, in order. */
export function endHealing(model: Model, stream: string): Outcome {
  const state = model.streams.get(stream);
  if (!state?.held) return { model, needs: [] };
  const held = [...state.held].sort((a, b) => (a.pos ?? 0) - (b.pos ?? 0));
  return replay(withStream(model, stream, { pos: state.pos, held: null }), held);
}

export function beginReload(model: Model): Model {
  return { ...model, streams: new Map(), held: model.held ?? [] };
}

export function endReload(model: Model): Outcome {
  return replay({ ...model, held: null }, model.held ?? []);
}

function replay(model: Model, events: readonly ServerEvent[]): Outcome {
  const needs: Need[] = [];
  for (const event of events) {
    const outcome = reduce(model, event);
    model = outcome.model;
    needs.push(...outcome.needs);
  }
  return { model, needs };
}

/** What is missing comes with the state that is asked for now: from here on it counts as known. */
function gap(model: Model, stream: string, pos: number, event: ServerEvent): Outcome {
  const healing = withStream(model, stream, { pos: pos - 1, held: [event] });
  return { model: healing, needs: [{ what: 'stream', stream }] };
}

function withStream(model: Model, stream: string, state: StreamState): Model {
  return { ...model, streams: new Map(model.streams).set(stream, state) };
}

function apply(model: Model, event: ServerEvent): Outcome {
  switch (event.type) {
    case 'message.created':
    case 'message.updated':
    case 'message.deleted':
      return applyMessage(model, event.payload, event.type === 'message.created');
    case 'chat.created':
    case 'chat.updated':
      return applyChat(model, event.payload);
    case 'chat.deleted':
      return applyChatGone(model, event.chat_id ?? event.payload.id);
    case 'member.added':
    case 'member.updated':
    case 'member.removed':
      return applyMember(model, event);
    case 'receipt.updated':
      return { model: event.payload.user_id === model.me ? applyRead(model, event.payload) : model, needs: [] };
    default:
      return applyPeople(model, event);
  }
}

type MemberEvent = Extract<ServerEvent, { type: `member.${string}` }>;

function applyMember(model: Model, event: MemberEvent): Outcome {
  const { chat_id, user_id } = event.payload;
  const gone = event.type === 'member.removed';
  if (user_id === model.me && gone) return applyChatGone(model, chat_id);
  if (user_id === model.me && !model.chats.has(chat_id)) return { model, needs: [{ what: 'chat', chatId: chat_id }] };
  const known = model.members.get(chat_id);
  const person = model.people.get(user_id);
  const needs: Need[] = gone || person ? [] : [{ what: 'person', userId: user_id }];
  if (!known) return { model: event.type === 'member.updated' ? model : recount(model, chat_id, gone ? -1 : 1), needs };
  const others = known.filter((member) => member.user_id !== user_id);
  const before = known.find((member) => member.user_id === user_id);
  const entry: ChatMember = {
    created_at: before?.created_at ?? event.at,
    fullname: before?.fullname ?? person?.fullname ?? '',
    username: before?.username ?? person?.username ?? '',
    avatar: before?.avatar ?? person?.avatar ?? null,
    ...event.payload,
  };
  const next = gone ? others : before ? known.map((member) => (member === before ? entry : member)) : [...known, entry];
  const members = new Map(model.members).set(chat_id, next);
  return { model: recount({ ...model, members }, chat_id, next.length - known.length), needs };
}

function recount(model: Model, chatId: Id, by: number): Model {
  const chat = model.chats.get(chatId);
  if (!chat || by === 0) return model;
  const member_count = Math.max(0, chat.member_count + by);
  return { ...model, chats: new Map(model.chats).set(chatId, { ...chat, member_count }) };
}

function applyPeople(model: Model, event: ServerEvent): Outcome {
  switch (event.type) {
    case 'user.updated':
      return { model: withPerson(model, event.payload.id, event.payload), needs: [] };
    case 'workspace.updated': {
      const known = model.workspaces.get(event.payload.id);
      const workspace = { ...event.payload, role: known?.role ?? event.payload.role };
      return { model: { ...model, workspaces: new Map(model.workspaces).set(workspace.id, workspace) }, needs: [] };
    }
    case 'workspace.member_added':
    case 'workspace.member_updated':
      if (event.payload.user_id === model.me) return { model, needs: [{ what: 'reload' }] };
      return { model: withPerson(model, event.payload.user_id, event.payload), needs: [] };
    case 'workspace.member_removed':
      return { model, needs: event.payload.user_id === model.me ? [{ what: 'reload' }] : [] };
    default:
      return { model, needs: [] };
  }
}

function withPerson(
  model: Model,
  id: Id,
  { fullname, username, avatar }: { fullname: string; username: string; avatar: string | null },
): Model {
  return { ...model, people: new Map(model.people).set(id, { id, fullname, username, avatar }) };
}
