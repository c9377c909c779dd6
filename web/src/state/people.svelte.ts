/**
 * Names and faces. People are fetched when somebody needs to be shown; members when a chat's are asked for.
 *
 * People           name, get, want; search in a workspace; loadMembers of a chat
 */
import { ApiError } from '../api/http';
import type { Api } from '../api/routes';
import type { ChatMember, Id, User } from '../api/types';
import type { ServerEvent } from '../realtime/events';
import type { Person } from '../realtime/model';
import { fresh } from './fresh';
import type { Replica } from './replica.svelte';

const AT_ONCE = 6;

export class People {
  private readonly queue: Id[] = [];
  private readonly asked = new Set<Id>();
  private running = 0;

  constructor(
    private readonly api: Api,
    private readonly replica: Replica,
  ) {}

  get(id: Id): Person | null {
    return this.replica.people.get(id) ?? null;
  }

  /** Have this person fetched, unless known or under way. */
  want(id: Id): void {
    if (this.asked.has(id) || this.replica.people.has(id)) return;
    this.asked.add(id);
    this.queue.push(id);
    if (this.running < AT_ONCE) void this.work();
  }

  put(people: readonly Person[]): void {
    this.replica.change((model) => {
      const next = new Map(model.people);
      for (const person of people) next.set(person.id, person);
      return { ...model, people: next };
    });
  }

  /** People of a workspace whose name holds `q`, at most a page of them. */
  async search(workspaceId: Id, q: string): Promise<User[]> {
    const found = await this.api.people(workspaceId, q.trim());
    this.put(found);
    return found;
  }

  async loadMembers(chatId: Id): Promise<readonly ChatMember[]> {
    const bears = ({ type, chat_id }: ServerEvent): boolean => chat_id === chatId && type.startsWith('member.');
    const era = this.replica.me;
    const members = await fresh(this.replica, bears, () => this.api.members(chatId));
    if (era !== this.replica.me) return members; // of nobody who is here now
    const known = this.replica.people;
    this.put(members.filter((member) => !known.has(member.user_id)).map(personOf));
    this.replica.change((model) => ({ ...model, members: new Map(model.members).set(chatId, members) }));
    return members;
  }

  forget(): void {
    this.queue.length = 0;
    this.asked.clear();
  }

  private async work(): Promise<void> {
    this.running += 1;
    for (let id = this.queue.shift(); id !== undefined; id = this.queue.shift()) {
      await this.fetch(id);
    }
    this.running -= 1;
  }

  /** Who cannot be seen is not asked for again; who could not be fetched is, when needed again. */
  private async fetch(id: Id): Promise<void> {
    try {
      this.put([await this.api.user(id)]);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) this.asked.delete(id);
    }
  }
}

const personOf = ({ user_id, fullname, username, avatar }: ChatMember): Person => ({
  id: user_id,
  fullname,
  username,
  avatar,
});
