/**
 * The page's copy of the server's state: one model, changed only here, read by the stores.
 *
 * Replica          hear(event), change(f), snapshot, restore; chats, windows, members, people, workspaces as they are now
 */
import type { Id } from '../api/types';
import type { ServerEvent } from '../realtime/events';
import { emptyModel, type Model, type Need, type Outcome } from '../realtime/model';
import { reduce } from '../realtime/reduce';
import { modelOf, snapshotOf, type Snapshot } from '../realtime/snapshot';

export class Replica {
  private model = $state.raw<Model>(emptyModel(0));
  readonly me = $derived(this.model.me);
  readonly workspaces = $derived(this.model.workspaces);
  readonly chats = $derived(this.model.chats);
  readonly windows = $derived(this.model.windows);
  readonly members = $derived(this.model.members);
  readonly people = $derived(this.model.people);
  private readonly listeners = new Set<(event: ServerEvent) => void>();
  private fetch: (need: Need) => void = () => undefined;

  /** Who fetches what the model cannot know by itself. */
  onNeed(fetch: (need: Need) => void): void {
    this.fetch = fetch;
  }

  /** Told of every event after it was applied, also of those that change nothing here. The answer ends it. */
  onEvent(listener: (event: ServerEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  forget(me: Id): void {
    this.model = emptyModel(me);
  }

  /** Go on with what was known here before, or is known by another tab. */
  restore(snapshot: Snapshot): void {
    this.model = modelOf(snapshot);
  }

  /** What is worth keeping; `recent` are the chats that were opened last. */
  snapshot(recent: readonly Id[]): Snapshot | null {
    return snapshotOf(this.model, recent);
  }

  hear(event: ServerEvent): void {
    this.settle(reduce(this.model, event));
    for (const listener of this.listeners) listener(event);
  }

  change(step: (model: Model) => Model): void {
    this.model = step(this.model);
  }

  settle(outcome: Outcome | ((model: Model) => Outcome)): void {
    const { model, needs } = typeof outcome === 'function' ? outcome(this.model) : outcome;
    this.model = model;
    for (const need of needs) this.fetch(need);
  }
}
