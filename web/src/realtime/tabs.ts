/**
 * Which of the tabs of one person holds the connection, and how the others hear through it. No I/O: what happens goes in,
 * what is to be done comes out.
 *
 * Tab              join, lead, yield, stop; hear (a message of another tab); chunk (of the own connection); look (time passes)
 * Deed             what the shell around it does: say, open, close, deliver, adopt, status, seize
 *
 * One tab leads: it has the lock, and passes on each chunk of its stream with a running number and the cursor after it.
 * Who follows keeps that cursor, so whoever takes over resumes where it stood, and nothing is lost. A follower that
 * missed a number asks for the leader's state. A leader that is silent for long is asked, and then deposed.
 */
import type { ServerEvent } from './events';
import type { StreamStatus } from './stream';

export interface Heard {
  event: ServerEvent;
  resumed: boolean;
}

export type TabMessage<State> =
  | { what: 'join'; tab: string }
  | {
      what: 'welcome';
      from: string;
      to: string;
      n: number;
      cursor: string | null;
      status: StreamStatus;
      state: State | null;
    }
  | { what: 'reign'; from: string; cursor: string | null }
  | { what: 'news'; from: string; n: number; cursor: string | null; status: StreamStatus; items: readonly Heard[] }
  | { what: 'beat'; from: string; n: number }
  | { what: 'ping' }
  | { what: 'nudge'; renew: boolean };

export type Deed<State> =
  | { do: 'say'; message: TabMessage<State> }
  | { do: 'open'; cursor: string | null }
  | { do: 'close' }
  | { do: 'deliver'; item: Heard }
  | { do: 'adopt'; state: State | null }
  | { do: 'status'; status: StreamStatus }
  | { do: 'nudge'; renew: boolean }
  | { do: 'seize' };

/** The network brings something every 15 s, which the leader passes on as a beat. */
const SILENT_MS = 25_000;
/** So long may a leader take to answer; a frozen one never does. */
const PATIENCE_MS = 4_000;

export class Tab<State> {
  role: 'idle' | 'follower' | 'leader' = 'idle';
  /** All below it has been delivered here: where this tab resumes if it comes to lead. */
  cursor: string | null = null;
  /** The leader's last number that was delivered here; null: what the leader says next does not follow. */
  private n: number | null = null;
  private leader: string | null = null;
  private status: StreamStatus = 'connecting';
  private heardAt = 0;
  private askedAt: number | null = null;

  constructor(
    readonly id: string,
    /** What this tab knows, for one that joins; null while that is incomplete. */
    private readonly state: () => State | null,
  ) {}

  join(cursor: string | null, now: number): Deed<State>[] {
    this.cursor = cursor;
    return this.follow(now);
  }

  /** The lock is ours. */
  lead(): Deed<State>[] {
    if (this.role === 'idle') return [];
    this.role = 'leader';
    this.leader = this.id;
    this.n = 0;
    return [
      { do: 'say', message: { what: 'reign', from: this.id, cursor: this.cursor } },
      { do: 'open', cursor: this.cursor },
    ];
  }

  /** The lock was taken from us, or is given away because the browser is about to freeze this tab. */
  yield(now: number): Deed<State>[] {
    if (this.role !== 'leader') return [];
    return [{ do: 'close' }, ...this.follow(now)];
  }

  stop(): Deed<State>[] {
    const deeds: Deed<State>[] = this.role === 'leader' ? [{ do: 'close' }] : [];
    this.role = 'idle';
    this.cursor = null;
    this.n = null;
    this.leader = null;
    this.askedAt = null;
    return deeds;
  }

  /** What came over our own connection, in one piece; already delivered here. */
  chunk(items: readonly Heard[], cursor: string | null): Deed<State>[] {
    if (this.role !== 'leader') return [];
    this.cursor = cursor;
    return items.length > 0 ? [this.news(items)] : [this.beat()];
  }

  statusIs(status: StreamStatus): Deed<State>[] {
    if (this.role !== 'leader') return [];
    this.status = status;
    return [this.news([])];
  }

  hear(message: TabMessage<State>, now: number): Deed<State>[] {
    if (this.role === 'leader') return this.answer(message, now);
    if (this.role === 'idle') return [];
    switch (message.what) {
      case 'welcome':
        return message.to === this.id ? this.settleIn(message, now) : [];
      case 'reign':
        return this.bow(message, now);
      case 'news':
        return this.takeIn(message, now);
      case 'beat':
        return message.from === this.leader ? this.check(message.n, now) : [];
      default:
        return [];
    }
  }

  /** Time passes. Only a tab that is looked at deposes a leader. */
  look(now: number, isVisible: boolean): Deed<State>[] {
    if (this.role !== 'follower' || !isVisible) return [];
    if (this.askedAt !== null && now - this.askedAt > PATIENCE_MS) {
      this.askedAt = null;
      this.heardAt = now;
      return [{ do: 'seize' }];
    }
    return this.askedAt === null && now - this.heardAt > SILENT_MS ? this.ask(now) : [];
  }

  /** Is the leader still there? */
  ask(now: number): Deed<State>[] {
    if (this.role !== 'follower') return [];
    this.askedAt ??= now;
    return [{ do: 'say', message: { what: 'ping' } }];
  }

  nudge(renew: boolean): Deed<State>[] {
    if (this.role === 'leader') return [{ do: 'nudge', renew }];
    return this.role === 'follower' ? [{ do: 'say', message: { what: 'nudge', renew } }] : [];
  }

  private follow(now: number): Deed<State>[] {
    this.role = 'follower';
    this.leader = null;
    this.n = null;
    return this.askIn(now);
  }

  private askIn(now: number): Deed<State>[] {
    this.n = null;
    this.askedAt = now;
    return [{ do: 'say', message: { what: 'join', tab: this.id } }];
  }

  private answer(message: TabMessage<State>, now: number): Deed<State>[] {
    switch (message.what) {
      case 'join':
        return [{ do: 'say', message: this.welcome(message.tab) }];
      case 'ping':
        return [this.beat()];
      case 'nudge':
        return [{ do: 'nudge', renew: message.renew }];
      case 'reign':
        // Whoever reigns now has the lock: ours was taken, and we were not told yet.
        return [...this.yield(now), ...this.bow(message, now)];
      default:
        return [];
    }
  }

  private welcome(to: string): TabMessage<State> {
    const [n, state] = [this.n ?? 0, this.state()];
    return { what: 'welcome', from: this.id, to, n, cursor: this.cursor, status: this.status, state };
  }

  private settleIn(message: Extract<TabMessage<State>, { what: 'welcome' }>, now: number): Deed<State>[] {
    this.leader = message.from;
    this.n = message.n;
    this.cursor = message.cursor;
    this.heard(now);
    return [
      { do: 'adopt', state: message.state },
      { do: 'status', status: message.status },
    ];
  }

  /** A new leader that starts where we stand is followed without a word; else we ask for its state. */
  private bow(message: Extract<TabMessage<State>, { what: 'reign' }>, now: number): Deed<State>[] {
    const stoodWithIt = this.n !== null && this.cursor !== null && this.cursor === message.cursor;
    this.leader = message.from;
    this.heard(now);
    if (!stoodWithIt) return this.askIn(now);
    this.n = 0;
    return [];
  }

  private takeIn(message: Extract<TabMessage<State>, { what: 'news' }>, now: number): Deed<State>[] {
    if (message.from !== this.leader) return [];
    const inOrder = this.n !== null && message.n === this.n + 1;
    if (!inOrder) return this.check(message.n, now);
    this.heard(now);
    this.n = message.n;
    if (message.cursor !== null) this.cursor = message.cursor;
    return [
      ...message.items.map((item): Deed<State> => ({ do: 'deliver', item })),
      { do: 'status', status: message.status },
    ];
  }

  /** The leader lives. If it has said more than we heard, we ask for its state, once. */
  private check(n: number, now: number): Deed<State>[] {
    const isWaiting = this.n === null;
    this.heard(now);
    if (isWaiting || n === this.n) return [];
    return n < (this.n ?? 0) ? [] : this.askIn(now);
  }

  private heard(now: number): void {
    this.heardAt = now;
    if (this.n !== null) this.askedAt = null;
  }

  private news(items: readonly Heard[]): Deed<State> {
    this.n = (this.n ?? 0) + 1;
    const { id: from, n, cursor, status } = this;
    return { do: 'say', message: { what: 'news', from, n, cursor, status, items } };
  }

  private beat(): Deed<State> {
    return { do: 'say', message: { what: 'beat', from: this.id, n: this.n ?? 0 } };
  }
}
