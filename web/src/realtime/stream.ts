/**
 * The one connection to notify_server: opens it, reads it, and comes back with the cursor when it breaks.
 *
 * EventStream     start, stop, nudge (try again now), renew (this connection may be dead: take another)
 * StreamStatus    what a banner shows
 *
 * Nothing for 40 s (heartbeats come every 15 s) counts as broken. `goodbye` says how long to stay away.
 */
import { backoff } from './backoff';
import { readEvent, type Goodbye, type ServerEvent } from './events';
import { SseParser, type Frame } from './sse';

export type StreamStatus = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'stopped';

export interface StreamOptions {
  url: () => string;
  token: () => Promise<string | null>;
  /** Another token than the one refused; null ends the stream. */
  renew: (refused: string | null) => Promise<string | null>;
  /** `resumed`: the connection went on from a cursor, so nothing has been missed. */
  onEvent: (event: ServerEvent, resumed: boolean) => void;
  onStatus: (status: StreamStatus) => void;
  /** What came in one piece has been given to `onEvent`; where to resume after it. Also for signs of life alone. */
  onChunk?: (cursor: string | null) => void;
  isOnline?: () => boolean;
  silenceMs?: number;
}

/** Why a try ended, and how long to wait before the next (null: as long as backoff says). */
interface Ending {
  retryMs: number | null;
  final: boolean;
}

const BROKEN: Ending = { retryMs: null, final: false };
const SILENCE_MS = 40_000;

export class EventStream {
  /** Where to resume; set by each event that carries an id, kept across connections. */
  cursor: string | null = null;
  /** Tries since the last live moment. */
  private attempt = 0;
  private running: AbortController | null = null;
  private wake: (() => void) | null = null;
  /** Watches the connection that is open or being opened. */
  private current: Watchdog | null = null;
  /** The next try comes without a wait. */
  private isHurried = false;

  constructor(private readonly options: StreamOptions) {}

  /** From a cursor of an earlier visit or of another tab; without one, anew. */
  start(cursor: string | null = null): void {
    if (this.running) return;
    this.cursor = cursor;
    this.running = new AbortController();
    void this.run(this.running.signal);
  }

  stop(): void {
    this.running?.abort();
    this.running = null;
    this.cursor = null;
    this.attempt = 0;
    this.wake?.();
    this.options.onStatus('stopped');
  }

  /** Try again at once if a try is being waited for: the network is back, or the page is looked at. */
  nudge(): void {
    this.attempt = 0;
    this.wake?.();
  }

  /** The network has changed: what is open may be dead without knowing it. */
  renew(): void {
    this.isHurried = this.current !== null;
    this.nudge();
    this.current?.bite();
  }

  private async run(stopped: AbortSignal): Promise<void> {
    this.options.onStatus('connecting');
    while (!stopped.aborted) {
      const ending = await this.connect(stopped);
      if (stopped.aborted) return;
      if (ending.final) return this.stop();
      this.options.onStatus(this.isOnline() ? 'reconnecting' : 'offline');
      if (!this.isHurried) await this.pause(ending.retryMs ?? backoff(this.attempt));
      this.isHurried = false;
      this.attempt += 1;
    }
  }

  private async connect(stopped: AbortSignal): Promise<Ending> {
    const silence = new Watchdog(this.options.silenceMs ?? SILENCE_MS);
    const signal = AbortSignal.any([stopped, silence.signal]);
    const resumed = this.cursor !== null;
    this.current = silence;
    try {
      const response = await this.open(signal);
      if (response === null) return { retryMs: null, final: true };
      if (!response.ok || response.body === null) return refusal(response);
      return await this.read(response.body, silence, resumed);
    } catch {
      // Refused, cut or silent: all end in the same way, with another try.
      return BROKEN;
    } finally {
      silence.stop();
      if (this.current === silence) this.current = null;
    }
  }

  /** The open response; null when the session has ended. */
  private async open(signal: AbortSignal): Promise<Response | null> {
    const token = await this.options.token();
    if (token === null) return null;
    const response = await this.request(token, signal);
    if (response.status !== 401) return response;
    const fresh = await this.options.renew(token);
    return fresh === null ? null : await this.request(fresh, signal);
  }

  private request(token: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'text/event-stream', Authorization: `Bearer ${token}` };
    if (this.cursor !== null) headers['Last-Event-ID'] = this.cursor;
    return fetch(this.options.url(), { headers, signal, cache: 'no-store', credentials: 'include' });
  }

  private async read(body: ReadableStream<Uint8Array>, silence: Watchdog, resumed: boolean): Promise<Ending> {
    const parser = new SseParser();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return BROKEN;
      silence.feed();
      const goodbye = this.take(parser.push(value), resumed);
      if (goodbye === null && parser.lastId !== null) this.cursor = parser.lastId;
      this.options.onChunk?.(this.cursor);
      if (goodbye !== null) return this.dismissed(goodbye);
    }
  }

  /** Give what came to who listens, up to a goodbye. */
  private take(frames: readonly Frame[], resumed: boolean): Goodbye | null {
    for (const frame of frames) {
      const event = readEvent(frame.data);
      if (event?.type === 'goodbye') return event.payload;
      if (event) this.deliver(event, resumed);
    }
    return null;
  }

  private deliver(event: ServerEvent, resumed: boolean): void {
    if (event.type === 'hello') {
      this.attempt = 0;
      this.options.onStatus('live');
    }
    this.options.onEvent(event, resumed);
  }

  /** 4401 asks for a new token, which the next try gets by itself; only `reconnect: false` besides it is final. */
  private dismissed(goodbye: Goodbye): Ending {
    return { retryMs: goodbye.retry_ms, final: !goodbye.reconnect && goodbye.code !== 4401 };
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private isOnline(): boolean {
    return (this.options.isOnline ?? (() => navigator.onLine))();
  }
}

function refusal(response: Response): Ending {
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return { retryMs: Number.isFinite(seconds) ? seconds * 1000 : null, final: false };
}

/** Aborts its signal when it has not been fed for `ms`. */
class Watchdog {
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout>;

  constructor(private readonly ms: number) {
    this.timer = setTimeout(() => this.bite(), ms);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  feed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.bite(), this.ms);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }

  bite(): void {
    this.controller.abort();
  }
}
