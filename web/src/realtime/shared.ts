/**
 * The event stream, shared by all tabs of one person: the shell that moves what tabs.ts decides.
 *
 * SharedStream     start (from a cursor, or anew), stop, nudge, renew; cursor, isLeader
 *
 * The lock is the browser's (Web Locks), the messages go over a BroadcastChannel. Where a browser has neither, as on an
 * address without https, each tab holds a connection of its own.
 */
import type { Id } from '../api/types';
import { EventStream, type StreamOptions, type StreamStatus } from './stream';
import { Tab, type Deed, type Heard, type TabMessage } from './tabs';

export interface SharedOptions<State> extends Omit<StreamOptions, 'onChunk'> {
  /** What this tab knows, for a tab that joins; null while that is incomplete. */
  state: () => State | null;
  /** What the leader knows, up to the events that come next; null: load it. */
  adopt: (state: State | null) => void;
}

const LOOK_MS = 2_000;

export class SharedStream<State> {
  private readonly own: EventStream;
  private readonly tab: Tab<State>;
  private channel: BroadcastChannel | null = null;
  private lockName = '';
  /** Gives the lock back; null while another tab has it. */
  private release: (() => void) | null = null;
  private waiting: AbortController | null = null;
  private watch: ReturnType<typeof setInterval> | null = null;
  private chunk: Heard[] = [];

  constructor(private readonly options: SharedOptions<State>) {
    this.tab = new Tab<State>(crypto.randomUUID(), () => options.state());
    this.own = new EventStream({
      ...options,
      onEvent: (event, resumed) => {
        this.chunk.push({ event, resumed });
        options.onEvent(event, resumed);
      },
      onChunk: (cursor) => this.act(this.tab.chunk(this.chunk.splice(0), cursor)),
      onStatus: (status) => this.ownStatus(status),
    });
    this.watchLife();
  }

  get isLeader(): boolean {
    return this.tab.role === 'leader';
  }

  /** All below it has been delivered. */
  get cursor(): string | null {
    return this.isLeader ? this.own.cursor : this.tab.cursor;
  }

  start(owner: Id, cursor: string | null): void {
    if (this.tab.role !== 'idle') return;
    this.options.onStatus('connecting');
    this.lockName = `fechatter-stream-${owner}`;
    if ('locks' in navigator) {
      this.channel = new BroadcastChannel(this.lockName);
      this.channel.onmessage = (message: MessageEvent<TabMessage<State>>) =>
        this.act(this.tab.hear(message.data, Date.now()));
    }
    this.watch = setInterval(() => this.look(), LOOK_MS);
    this.act(this.tab.join(cursor, Date.now()));
    this.stand('wait');
  }

  stop(): void {
    if (this.watch !== null) clearInterval(this.watch);
    this.watch = null;
    this.act(this.tab.stop());
    this.letGo();
    this.channel?.close();
    this.channel = null;
    this.options.onStatus('stopped');
  }

  /** Try again at once if a try is being waited for. */
  nudge(): void {
    this.act(this.tab.nudge(false));
  }

  /** The network has changed: what is open may be dead without knowing it. */
  renew(): void {
    this.act(this.tab.nudge(true));
  }

  private act(deeds: readonly Deed<State>[]): void {
    for (const deed of deeds) this.carryOut(deed);
  }

  private carryOut(deed: Deed<State>): void {
    switch (deed.do) {
      case 'say':
        return this.channel?.postMessage(deed.message);
      case 'open':
        return this.own.start(deed.cursor);
      case 'close':
        this.chunk = [];
        return this.own.stop();
      case 'deliver':
        return this.options.onEvent(deed.item.event, deed.item.resumed);
      case 'adopt':
        return this.options.adopt(deed.state);
      case 'status':
        return this.options.onStatus(deed.status);
      case 'nudge':
        return deed.renew ? this.own.renew() : this.own.nudge();
      case 'seize':
        return this.stand('seize');
    }
  }

  /** Wait for the lock, or take it from a tab that does not answer; lead while it is ours. */
  private stand(how: 'wait' | 'seize'): void {
    if (this.channel === null) return this.act(this.tab.lead());
    this.waiting?.abort();
    const waiting = new AbortController();
    this.waiting = waiting;
    const hold = (): Promise<void> => this.hold();
    const request =
      how === 'seize'
        ? navigator.locks.request(this.lockName, { steal: true }, hold)
        : navigator.locks.request(this.lockName, { signal: waiting.signal }, hold);
    // Rejected: we no longer wait, or the lock was taken from us, and then we follow again.
    request.catch(() => this.lose(waiting));
  }

  private hold(): Promise<void> {
    return new Promise((resolve) => {
      this.release = resolve;
      this.act(this.tab.lead());
      if (this.tab.role !== 'leader') this.letGo();
    });
  }

  private lose(waiting: AbortController): void {
    if (waiting.signal.aborted || this.tab.role === 'idle') return;
    this.release = null;
    this.act(this.tab.yield(Date.now()));
    this.stand('wait');
  }

  private letGo(): void {
    this.waiting?.abort();
    this.waiting = null;
    this.release?.();
    this.release = null;
  }

  private look(): void {
    this.act(this.tab.look(Date.now(), document.visibilityState === 'visible'));
  }

  private ownStatus(status: StreamStatus): void {
    // The session has ended, or this tab follows from now on: the next status comes from elsewhere.
    if (status === 'stopped' && this.tab.role !== 'leader') return;
    this.options.onStatus(status);
    this.act(this.tab.statusIs(status));
  }

  /** A tab that the browser freezes or puts aside gives the lead away first, and asks for it when it wakes. */
  private watchLife(): void {
    if (typeof document === 'undefined') return;
    const rest = (): void => {
      if (this.tab.role !== 'leader' || this.channel === null) return;
      this.act(this.tab.yield(Date.now()));
      this.letGo();
    };
    const wake = (): void => {
      if (this.tab.role === 'follower' && this.waiting === null) this.stand('wait');
      this.act(this.tab.ask(Date.now()));
    };
    document.addEventListener('freeze', rest);
    document.addEventListener('resume', wake);
    addEventListener('pagehide', rest);
    addEventListener('pageshow', (event) => event.persisted && wake());
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && wake());
  }
}
