/**
 * Keeps the replica like the server: opens the stream, loads state, and fetches what events cannot tell.
 *
 * Sync             start when somebody signs in, stop when they leave; adopt what another tab knows; settled
 *
 * What was kept from the last visit is shown at once, and the stream goes on from where it stood then.
 * State is loaded after the stream is open, so that what happens in between is heard; events wait meanwhile.
 */
import type { Api } from '../api/routes';
import { goneAsNull, isRefusal } from '../api/http';
import type { Id, User } from '../api/types';
import { backoff, pause } from '../realtime/backoff';
import { applyChatGone, snapshotChat, withChat } from '../realtime/chats';
import type { ServerEvent } from '../realtime/events';
import type { Need } from '../realtime/model';
import { beginReload, endHealing, endReload } from '../realtime/reduce';
import type { SharedStream } from '../realtime/shared';
import type { Snapshot } from '../realtime/snapshot';
import type { Messages } from './messages.svelte';
import type { People } from './people.svelte';
import type { Replica } from './replica.svelte';

/** Load without the stream if it does not open within this time, and once more when it does. */
const HELLO_WAIT_MS = 400;

export class Sync {
  /** True once chats and workspaces are there. */
  ready = $state(false);
  /** The first load failed, and is being tried again. */
  failed = $state(false);
  /** Grows with each start and stop: what an earlier one still fetches is not for us. */
  private era = 0;
  private reloading = false;
  private again = false;
  private opening: ReturnType<typeof setTimeout> | null = null;
  /** What is being fetched; true when it was asked for again since. */
  private readonly fetching = new Map<string, boolean>();

  constructor(
    private readonly api: Api,
    private readonly replica: Replica,
    private readonly messages: Messages,
    private readonly people: People,
    private readonly stream: SharedStream<Snapshot>,
  ) {
    replica.onNeed((need) => this.fetch(need));
  }

  start(me: User, kept: { snapshot: Snapshot; cursor: string } | null = null): void {
    this.era += 1;
    this.replica.forget(me.id);
    if (kept) this.show(kept.snapshot);
    this.people.put([me]);
    this.stream.start(me.id, kept?.cursor ?? null);
    if (!kept) this.opening = setTimeout(() => void this.reload(), HELLO_WAIT_MS);
  }

  /** Nothing is being fetched: what is known here belongs to where the stream stands. */
  get settled(): boolean {
    return this.ready && !this.reloading && this.fetching.size === 0;
  }

  /** Another tab has the connection: go on from what it knows, or load if it is loading itself. */
  adopt(snapshot: Snapshot | null): void {
    if (snapshot === null || this.reloading || snapshot.me !== this.replica.me) return void this.reload();
    this.clearOpening();
    const window = this.messages.current === null ? undefined : this.replica.windows.get(this.messages.current);
    this.show(snapshot);
    if (this.messages.current === null) return;
    const [id, own] = [this.messages.current, window];
    if (own) this.replica.change((model) => ({ ...model, windows: new Map(model.windows).set(id, own) }));
    void this.once(`window:${id}`, () => this.messages.refresh(id));
  }

  private show(snapshot: Snapshot): void {
    this.replica.restore(snapshot);
    this.messages.recent = [...snapshot.windows.keys()];
    this.ready = true;
    this.failed = false;
  }

  stop(): void {
    this.era += 1;
    this.ready = false;
    this.failed = false;
    this.clearOpening();
    this.stream.stop();
    this.messages.forget();
    this.replica.forget(0);
  }

  /** Every event of the stream comes in here. A `hello` that resumes nothing means: load. */
  hear(event: ServerEvent, resumed: boolean): void {
    if (event.type === 'hello') {
      if (!resumed) void this.reload();
      return;
    }
    this.replica.hear(event);
  }

  /** Load everything anew; asked for again meanwhile, it goes once more afterwards. */
  async reload(): Promise<void> {
    this.clearOpening();
    if (this.reloading) {
      this.again = true;
      return;
    }
    this.reloading = true;
    do {
      this.again = false;
      await this.loadUntilDone(this.era);
    } while (this.again);
    this.reloading = false;
  }

  private async loadUntilDone(era: number): Promise<void> {
    this.replica.change(beginReload);
    for (let attempt = 0; era === this.era && !(await this.load(era)); attempt += 1) await pause(backoff(attempt));
    if (era === this.era) this.replica.settle(endReload);
  }

  private async load(era: number): Promise<boolean> {
    try {
      const workspaces = await this.api.workspaces();
      const lists = await Promise.all(workspaces.map((workspace) => this.api.chats(workspace.id)));
      if (era !== this.era) return true;
      this.replica.change((model) => ({
        ...model,
        workspaces: new Map(workspaces.map((workspace) => [workspace.id, workspace])),
        chats: new Map(lists.flat().map((chat) => [chat.id, snapshotChat(model.chats.get(chat.id), chat)])),
        members: new Map(),
      }));
      await this.messages.refresh();
      if (era !== this.era) return true;
      this.ready = true;
      this.failed = false;
      return true;
    } catch {
      // Shown as a state of its own, and tried again.
      this.failed = !this.ready;
      return false;
    }
  }

  private fetch(need: Need): void {
    if (need.what === 'reload') void this.reload();
    else if (need.what === 'person') this.people.want(need.userId);
    else if (need.what === 'chat') void this.once(`chat:${need.chatId}`, () => this.loadChat(need.chatId));
    else void this.once(need.stream, () => this.heal(need.stream));
  }

  /**
   * One fetch of a kind at a time, tried until it succeeds or the session ends. Asked for again meanwhile, it goes
   * once more: the answer under way may be older than the question.
   */
  private async once(key: string, work: () => Promise<void>): Promise<void> {
    const isRunning = this.fetching.has(key);
    this.fetching.set(key, isRunning);
    if (isRunning) return;
    const era = this.era;
    let asked = true;
    for (let attempt = 0; era === this.era && asked; attempt += 1) {
      this.fetching.set(key, false);
      const done = await succeeds(work);
      if (!done) await pause(backoff(attempt));
      asked = !done || this.fetching.get(key) === true;
    }
    this.fetching.delete(key);
    if (era === this.era) this.replica.settle((model) => endHealing(model, key));
  }

  private async heal(stream: string): Promise<void> {
    const [kind, id] = stream.split(':');
    if (kind !== 'chat') return this.reload();
    await this.loadChat(Number(id));
    await this.messages.refresh(Number(id));
  }

  private async loadChat(id: Id): Promise<void> {
    const era = this.era;
    const chat = await this.api.chat(id).catch(goneAsNull);
    if (era !== this.era) return;
    if (chat === null) return this.replica.settle((model) => applyChatGone(model, id));
    this.replica.change((model) => withChat(model, chat));
    if (this.replica.members.has(id)) await this.people.loadMembers(id);
  }

  private clearOpening(): void {
    if (this.opening !== null) clearTimeout(this.opening);
    this.opening = null;
  }
}

async function succeeds(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    return isRefusal(error);
  }
}
