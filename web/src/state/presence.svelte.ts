/**
 * How people can be reached.
 *
 * Presences        want (have a person's fetched), of(person), textOf(person), set (one's own)
 */
import { isRefusal } from '../api/http';
import type { Api } from '../api/routes';
import type { Id, NewPresence, Presence } from '../api/types';
import { backoff } from '../realtime/backoff';
import type { ServerEvent } from '../realtime/events';
import { fresh } from './fresh';
import type { Replica } from './replica.svelte';

const AT_ONCE = 50;
/** Those who are drawn in the same moment are asked for together. */
const GATHER_MS = 50;
const RETRY_MS = 2_000;

interface Known {
  status: Presence;
  text: string | null;
}

export class Presences {
  private known = $state.raw<ReadonlyMap<Id, Known>>(new Map());
  private readonly asked = new Set<Id>();
  private wanted: Id[] = [];
  /** Tries since the last answer. */
  private attempt = 0;
  private gathering: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly api: Pick<Api, 'presence' | 'setPresence'>,
    private readonly replica: Replica,
  ) {
    replica.onEvent((event) => {
      if (event.type === 'presence.changed') this.put([event.payload]);
    });
  }

  of(userId: Id): Presence | null {
    return this.known.get(userId)?.status ?? null;
  }

  /** What they say with it. */
  textOf(userId: Id): string | null {
    return this.known.get(userId)?.text || null;
  }

  want(userId: Id): void {
    if (this.asked.has(userId)) return;
    this.asked.add(userId);
    this.wanted.push(userId);
    this.gathering ??= setTimeout(() => void this.fetch(), GATHER_MS);
  }

  async set(presence: NewPresence): Promise<void> {
    this.put([await this.api.setPresence(presence)]);
  }

  /** The stream was away: what was said meanwhile is lost, for these are not kept. */
  refresh(): void {
    const shown = [...this.asked];
    this.asked.clear();
    this.wanted = [];
    this.dismiss(); // what is tried again later may be asked for now: the server is back
    for (const id of shown) this.want(id);
  }

  forget(): void {
    this.dismiss();
    this.wanted = [];
    this.asked.clear();
    this.known = new Map();
  }

  private dismiss(): void {
    if (this.gathering !== null) clearTimeout(this.gathering);
    this.gathering = null;
    this.attempt = 0;
  }

  private async fetch(): Promise<void> {
    this.gathering = null;
    const era = this.replica.me;
    for (let ids = this.wanted.splice(0, AT_ONCE); ids.length > 0; ids = this.wanted.splice(0, AT_ONCE)) {
      try {
        const bears = (event: ServerEvent): boolean =>
          event.type === 'presence.changed' && ids.includes(event.payload.user_id);
        const found = await fresh(this.replica, bears, () => this.api.presence(ids));
        if (era !== this.replica.me) return; // those who are wanted now are another person's to ask for
        this.put(found);
      } catch (error) {
        if (era !== this.replica.me) return;
        if (isRefusal(error)) continue;
        // Nobody who is drawn already would ask again.
        this.retry(ids);
        return;
      }
      this.attempt = 0;
    }
  }

  private retry(ids: readonly Id[]): void {
    this.wanted.push(...ids);
    this.gathering ??= setTimeout(() => void this.fetch(), backoff(this.attempt, RETRY_MS));
    this.attempt += 1;
  }

  private put(found: readonly ({ user_id: Id } & Known)[]): void {
    const known = new Map(this.known);
    for (const one of found) known.set(one.user_id, { status: one.status, text: one.text });
    this.known = known;
  }
}
