import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventStream, type StreamStatus } from '../../src/realtime/stream';

const HELLO = 'id: c1\nevent: hello\ndata: {"type":"hello","payload":{"cursor":"c1"}}\n\n';
const news = (pos: number): string =>
  `id: c${pos}\nevent: message.created\ndata: {"type":"message.created","stream":"chat:1","pos":${pos}}\n\n`;

/** One connection, fed and cut by the test. */
class Connection {
  readonly headers: Headers;
  private feed: ReadableStreamDefaultController<Uint8Array> | null = null;
  readonly response: Response;

  constructor(init: RequestInit) {
    this.headers = new Headers(init.headers);
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.feed = controller) });
    init.signal?.addEventListener('abort', () => this.feed?.error(new DOMException('cut', 'AbortError')));
    this.response = new Response(body);
  }

  send(text: string): void {
    this.feed?.enqueue(new TextEncoder().encode(text));
  }

  close(): void {
    this.feed?.close();
  }
}

function setUp(answer: (connection: Connection) => Response | Promise<Response> = (one) => one.response) {
  const connections: Connection[] = [];
  const heard: string[] = [];
  const statuses: StreamStatus[] = [];
  vi.stubGlobal('fetch', (_url: string, init: RequestInit) => {
    const connection = new Connection(init);
    connections.push(connection);
    return Promise.resolve(answer(connection));
  });
  const stream = new EventStream({
    url: () => 'http://notify.invalid/events',
    token: () => Promise.resolve('token'),
    renew: () => Promise.resolve(null),
    onEvent: (event, resumed) => heard.push(`${event.type}${event.pos ?? ''}${resumed ? ' resumed' : ''}`),
    onStatus: (status) => statuses.push(status),
    isOnline: () => true,
    silenceMs: 40_000,
  });
  return { stream, connections, heard, statuses };
}

const turn = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the stream', () => {
  it('carries its token in a header, is live from hello on, and gives what it hears', async () => {
    const { stream, connections, heard, statuses } = setUp();
    stream.start();
    await turn();
    connections[0]?.send(HELLO + news(5));
    await turn();
    expect(connections[0]?.headers.get('Authorization')).toBe('Bearer token');
    expect(connections[0]?.headers.get('Last-Event-ID')).toBeNull();
    expect(heard).toEqual(['hello', 'message.created5']);
    expect(statuses).toEqual(['connecting', 'live']);
    stream.stop();
  });

  it('comes back with its cursor when it is cut', async () => {
    const { stream, connections, heard, statuses } = setUp();
    stream.start();
    await turn();
    connections[0]?.send(HELLO + news(5));
    await turn();
    connections[0]?.close();
    await turn(600);
    expect(connections[1]?.headers.get('Last-Event-ID')).toBe('c5');
    connections[1]?.send(HELLO);
    await turn();
    expect(heard.at(-1)).toBe('hello resumed');
    expect(statuses).toEqual(['connecting', 'live', 'reconnecting', 'live']);
    stream.stop();
  });

  it('takes silence for an end', async () => {
    const { stream, connections } = setUp();
    stream.start();
    await turn();
    connections[0]?.send(HELLO);
    await turn(39_000);
    connections[0]?.send(': heartbeat\n\n');
    await turn(39_000);
    expect(connections).toHaveLength(1);
    await turn(2_000);
    expect(connections).toHaveLength(2);
    stream.stop();
  });

  it('waits longer with each failure, and not at all when nudged', async () => {
    const { stream, connections } = setUp(() => Promise.reject(new TypeError('refused')));
    stream.start();
    await turn(60_000);
    const tries = connections.length;
    expect(tries).toBeGreaterThan(4);
    expect(tries).toBeLessThan(12);
    stream.nudge();
    await turn();
    expect(connections).toHaveLength(tries + 1);
    stream.stop();
  });

  it('stays away as long as goodbye asks', async () => {
    const { stream, connections } = setUp();
    stream.start();
    await turn();
    connections[0]?.send(
      'event: goodbye\ndata: {"type":"goodbye","payload":{"code":4000,"reason":"restart","reconnect":true,"retry_ms":9000}}\n\n',
    );
    await turn(8_900);
    expect(connections).toHaveLength(1);
    await turn(200);
    expect(connections).toHaveLength(2);
    stream.stop();
  });

  it('ends for good when the session has', async () => {
    const { stream, connections, statuses } = setUp(() => new Response(null, { status: 401 }));
    stream.start();
    await turn(60_000);
    expect(connections).toHaveLength(1);
    expect(statuses.at(-1)).toBe('stopped');
  });

  it('takes another connection at once when the network has changed', async () => {
    const { stream, connections } = setUp();
    stream.start();
    await turn();
    connections[0]?.send(HELLO);
    await turn();
    stream.renew();
    await turn();
    expect(connections).toHaveLength(2);
    stream.stop();
  });

  it('hears nothing more after stop, and begins anew without the old cursor', async () => {
    const { stream, connections, heard } = setUp();
    stream.start();
    await turn();
    connections[0]?.send(HELLO + news(5));
    await turn();
    stream.stop();
    stream.start();
    await turn();
    expect(heard).toHaveLength(2);
    expect(connections[1]?.headers.get('Last-Event-ID')).toBeNull();
    stream.stop();
  });
});
