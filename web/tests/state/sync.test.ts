import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, NetworkError } from '../../src/api/http';
import type { Api } from '../../src/api/routes';
import type { Chat, Message, User, Workspace } from '../../src/api/types';
import type { SharedStream } from '../../src/realtime/shared';
import type { Snapshot } from '../../src/realtime/snapshot';
import { Messages } from '../../src/state/messages.svelte';
import { People } from '../../src/state/people.svelte';
import { Replica } from '../../src/state/replica.svelte';
import { Sync } from '../../src/state/sync.svelte';
import { chat, event, message } from '../things';

const ME = { id: 1, fullname: 'Ada', username: 'ada', avatar: null } as User;

/** A server of one workspace and one chat; `fail` makes the next answers errors. */
class World {
  chats: Chat[] = [chat()];
  messages: Message[] = [];
  asked: string[] = [];
  fail: Error[] = [];

  readonly api = {
    workspaces: () => this.answer('workspaces', () => [{ id: 1, name: 'w' } as Workspace]),
    chats: () => this.answer('chats', () => this.chats),
    chat: (id: number) =>
      this.answer('chat', () => {
        const found = this.chats.find((one) => one.id === id);
        if (!found) throw new ApiError(404, 'not_found', 'Not here.');
        return found;
      }),
    messages: () => this.answer('messages', () => [...this.messages].reverse()),
    user: () => this.answer('user', () => ME),
  } as unknown as Api;

  say(seq: number): Message {
    const said = message(seq);
    this.messages.push(said);
    this.chats = this.chats.map((one) => ({ ...one, last_seq: seq, last_message: said, unread_count: seq }));
    return said;
  }

  private answer<T>(name: string, make: () => T): Promise<T> {
    this.asked.push(name);
    const error = this.fail.shift();
    return error ? Promise.reject(error) : Promise.resolve().then(make);
  }
}

function setUp() {
  const world = new World();
  const replica = new Replica();
  const messages = new Messages(world.api, replica);
  const people = new People(world.api, replica);
  const stream = { start: vi.fn(), stop: vi.fn() } as unknown as SharedStream<Snapshot>;
  return { world, replica, messages, sync: new Sync(world.api, replica, messages, people, stream) };
}

const hello = event('hello', { user_id: 1, session_id: 1, cursor: 'c', heartbeat_s: 15 }, null);
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('keeping up with the server', () => {
  it('loads once the stream is open, and not again when it resumes', async () => {
    const { world, sync, replica } = setUp();
    sync.start(ME);
    sync.hear(hello, false);
    await settle(1000);
    sync.hear(hello, true);
    await settle(1000);
    expect(world.asked).toEqual(['workspaces', 'chats']);
    expect([sync.ready, replica.chats.size]).toEqual([true, 1]);
  });

  it('does not wait for a stream that does not open, and loads again when it does', async () => {
    const { world, sync } = setUp();
    sync.start(ME);
    await settle(1000);
    expect(sync.ready).toBe(true);
    sync.hear(hello, false);
    await settle();
    expect(world.asked.filter((name) => name === 'chats')).toHaveLength(2);
  });

  it('tries again while the server does not answer, and says so', async () => {
    const { world, sync } = setUp();
    world.fail = [new NetworkError('down'), new NetworkError('down')];
    sync.start(ME);
    sync.hear(hello, false);
    await settle();
    expect([sync.ready, sync.failed]).toEqual([false, true]);
    await settle(5000);
    expect([sync.ready, sync.failed]).toEqual([true, false]);
  });

  it('fetches the chat and its messages after a gap', async () => {
    const { world, sync, replica, messages } = setUp();
    sync.start(ME);
    sync.hear(hello, false);
    await settle();
    sync.hear(event('message.created', world.say(1), 1), true);
    await messages.open(1, null);
    world.say(2);
    world.say(3);
    sync.hear(event('message.created', world.say(4), 4), true);
    await settle();
    expect(replica.windows.get(1)?.items.map((one) => one.seq)).toEqual([1, 2, 3, 4]);
    sync.hear(event('message.created', world.say(5), 5), true);
    expect(replica.chats.get(1)?.last_seq).toBe(5);
  });

  it('reloads after resync_required, and goes on with the events that came meanwhile', async () => {
    const { world, sync, replica } = setUp();
    sync.start(ME);
    sync.hear(hello, false);
    await settle();
    world.say(1);
    sync.hear(event('resync_required', { reason: 'too old', cursor: 'c9' }, null), true);
    sync.hear(event('message.created', message(2), 90), true);
    await settle();
    expect(replica.chats.get(1)).toMatchObject({ last_seq: 2, unread_count: 2 });
  });

  it('fetches a chat it hears of for the first time, and forgets one that is gone', async () => {
    const { world, sync, replica } = setUp();
    sync.start(ME);
    sync.hear(hello, false);
    await settle();
    world.chats.push(chat({ id: 2, name: 'new' }));
    sync.hear(event('message.created', message(1, { chat_id: 2 }), 1, 'chat:2'), true);
    await settle();
    expect(replica.chats.get(2)?.name).toBe('new');
    world.chats = world.chats.filter((one) => one.id !== 1);
    sync.hear(event('message.created', message(1), 1), true);
    sync.hear(event('message.created', message(9), 9), true);
    await settle();
    expect(replica.chats.has(1)).toBe(false);
  });

  it('keeps nothing of one person for the next', async () => {
    const { sync, replica } = setUp();
    sync.start(ME);
    sync.hear(hello, false);
    sync.stop();
    await settle(1000);
    expect([replica.chats.size, sync.ready]).toEqual([0, false]);
  });
});
