/**
 * What is kept of the model: on the device for the next visit, and for another tab that joins. Bounded.
 *
 * Snapshot         the part of the model that lasts
 * snapshotOf       of the model now; null while something in it is being fetched
 * modelOf          a model to go on with
 */
import type { Id } from '../api/types';
import { emptyModel, type MessageWindow, type Model, type Person } from './model';

export type Snapshot = Omit<Model, 'held'>;

const CHATS = 30;
const MESSAGES = 50;
const MEMBERS = 200;
const PEOPLE = 2_000;

/** `recent`: the chats that were opened last, the latest first. */
export function snapshotOf(model: Model, recent: readonly Id[]): Snapshot | null {
  if (model.held !== null || [...model.streams.values()].some((stream) => stream.held !== null)) return null;
  const kept = recent.filter((id) => model.windows.has(id)).slice(0, CHATS);
  const windows = new Map(kept.flatMap((id) => windowOf(model, id)));
  const members = new Map([...model.members].filter(([id, list]) => kept.includes(id) && list.length <= MEMBERS));
  const { me, workspaces, chats, streams } = model;
  return { me, workspaces, chats, streams, windows, members, people: peopleOf(model, windows) };
}

export const modelOf = (snapshot: Snapshot): Model => ({ ...emptyModel(snapshot.me), ...snapshot });

/** Only a stretch that reaches the newest message can be gone on with. */
function windowOf(model: Model, id: Id): [Id, MessageWindow][] {
  const window = model.windows.get(id);
  const last = window?.items.at(-1);
  if (!window || !last || last.seq < (model.chats.get(id)?.last_seq ?? 0)) return [];
  if (window.items.length <= MESSAGES && window.heard.size === 0) return [[id, window]];
  return [[id, { items: window.items.slice(-MESSAGES), heard: new Map() }]];
}

function peopleOf(model: Model, windows: ReadonlyMap<Id, MessageWindow>): ReadonlyMap<Id, Person> {
  if (model.people.size <= PEOPLE) return model.people;
  const wanted = new Set<Id>([model.me]);
  for (const { items } of windows.values()) for (const message of items) wanted.add(message.sender_id);
  for (const chat of model.chats.values()) for (const id of chat.member_ids ?? []) wanted.add(id);
  return new Map([...model.people].filter(([id]) => wanted.has(id)).slice(0, PEOPLE));
}
