import { describe, expect, it } from 'vitest';
import { ApiError, NetworkError } from '../../src/api/http';
import type { Message } from '../../src/api/types';
import { Outbox, type OutboxOptions, type Outgoing } from '../../src/state/outbox.svelte';
import type { Shelf } from '../../src/state/shelf';
import { message } from '../things';

/** A shelf that outlives the outbox, as the device outlives the page. */
class Memory implements Shelf {
  readonly rows = new Map<string, { owner: number; item: Outgoing }>();

  load(owner: number): Promise<Outgoing[]> {
    const own = [...this.rows.values()].filter((row) => row.owner === owner).map((row) => row.item);
    return Promise.resolve(own.sort((a, b) => a.order - b.order));
  }

  put(owner: number, item: Outgoing): Promise<void> {
    this.rows.set(item.key, { owner, item });
    return Promise.resolve();
  }

  remove(key: string): Promise<void> {
    this.rows.delete(key);
    return Promise.resolve();
  }

  has(key: string): Promise<boolean> {
    return Promise.resolve(this.rows.has(key));
  }

  clear(): Promise<void> {
    this.rows.clear();
    return Promise.resolve();
  }
}

/** An outbox over a server that answers when told to. */
function setUp(answer: (draft: Outgoing) => Promise<Message>, online = true, shelf = new Memory()) {
  const posts: Outgoing[] = [];
  const stored: string[] = [];
  const world = { online, pauses: [] as number[] };
  let keys = shelf.rows.size;
  const options: OutboxOptions = {
    post: (draft) => {
      posts.push(draft);
      return answer(draft);
    },
    stored: (one) => stored.push(one.content),
    shelf,
    isOnline: () => world.online,
    pause: (ms) => {
      world.pauses.push(ms);
      return Promise.resolve();
    },
    newKey: () => `k${(keys += 1)}`,
  };
  return { options, outbox: new Outbox(options), posts, stored, world, shelf };
}

const echo = ({ content, key, chatId }: Outgoing): Message =>
  message(1, { content, idempotency_key: key, chat_id: chatId });
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
const states = (outbox: Outbox): string[] => outbox.of(1).map((item) => `${item.content}:${item.state}`);

describe('the outbox', () => {
  it('sends one after the other, in the order they were written', async () => {
    const gates: (() => void)[] = [];
    const { outbox, posts, stored } = setUp(
      (draft) => new Promise((resolve) => gates.push(() => resolve(echo(draft)))),
    );
    ['a', 'b', 'c'].forEach((text) => outbox.send(1, { content: text }));
    expect(states(outbox)).toEqual(['a:sending', 'b:waiting', 'c:waiting']);
    for (let sent = 0; sent < 3; sent += 1) {
      expect(posts).toHaveLength(sent + 1);
      gates[sent]?.();
      await settled();
    }
    expect(stored).toEqual(['a', 'b', 'c']);
    expect(outbox.size).toBe(0);
  });

  it('sends what is written while the lock of the message before is being given back', async () => {
    const { options, posts } = setUp((draft) => Promise.resolve(echo(draft)));
    let giveBack = (): void => undefined;
    const exclusive = async (_: number, work: () => Promise<void>): Promise<void> => {
      await work();
      await new Promise<void>((resolve) => (giveBack = resolve));
    };
    const outbox = new Outbox({ ...options, exclusive });
    outbox.send(1, { content: 'a' });
    await settled();
    outbox.send(1, { content: 'b' });
    giveBack();
    await settled();
    expect(posts.map((draft) => draft.content)).toEqual(['a', 'b']);
  });

  it('does not let one chat wait for another', () => {
    const { outbox, posts } = setUp(() => new Promise(() => undefined));
    outbox.send(1, { content: 'a' });
    outbox.send(2, { content: 'b' });
    expect(posts.map((draft) => draft.chatId)).toEqual([1, 2]);
  });

  it('gives each message a key of its own, and a retry the same one', async () => {
    let isUp = false;
    const { outbox, posts, stored } = setUp((draft) =>
      isUp ? Promise.resolve(echo(draft)) : Promise.reject(new NetworkError('down')),
    );
    outbox.send(1, { content: 'a' });
    outbox.send(1, { content: 'b' });
    await settled();
    expect(states(outbox)).toEqual(['a:failed', 'b:failed']);
    isUp = true;
    outbox.retry('k2');
    await settled();
    expect(stored).toEqual(['a', 'b']);
    expect(new Set(posts.map((draft) => draft.key))).toEqual(new Set(['k1', 'k2']));
    expect(posts.at(-1)?.key).toBe('k2');
  });

  it('tries again by itself while there is no answer, and then fails with all behind it', async () => {
    const { outbox, posts, world } = setUp(() => Promise.reject(new NetworkError('down')));
    outbox.send(1, { content: 'a' });
    await settled();
    expect(posts).toHaveLength(5);
    expect(world.pauses).toHaveLength(4);
    expect(states(outbox)).toEqual(['a:failed']);
    expect(outbox.of(1)[0]?.reason).toBeNull();
  });

  it('fails at once when offline, and goes out once and in order when the network is back', async () => {
    const { outbox, posts, stored, world } = setUp(
      (draft) => (world.online ? Promise.resolve(echo(draft)) : Promise.reject(new NetworkError('offline'))),
      false,
    );
    outbox.send(1, { content: 'a' });
    outbox.send(1, { content: 'b' });
    await settled();
    expect(states(outbox)).toEqual(['a:failed', 'b:failed']);
    const tries = posts.length;
    world.online = true;
    outbox.resume();
    outbox.resume();
    await settled();
    expect(stored).toEqual(['a', 'b']);
    expect(posts).toHaveLength(tries + 2);
  });

  it('fails a refused message alone, with what the server said, and goes on with the next', async () => {
    const { outbox, stored, posts } = setUp((draft) =>
      draft.content === 'bad'
        ? Promise.reject(new ApiError(400, 'invalid_request', 'content is too long'))
        : Promise.resolve(echo(draft)),
    );
    outbox.send(1, { content: 'bad' });
    outbox.send(1, { content: 'good' });
    await settled();
    expect(stored).toEqual(['good']);
    expect(outbox.of(1)).toMatchObject([{ content: 'bad', state: 'failed', reason: 'content is too long' }]);
    outbox.resume();
    await settled();
    expect(posts).toHaveLength(2);
  });

  it('waits as long as the server asks', async () => {
    let tries = 0;
    const { outbox, world } = setUp((draft) => {
      tries += 1;
      const busy = new ApiError(429, 'rate_limited', 'slow down', [], 7000);
      return tries === 1 ? Promise.reject(busy) : Promise.resolve(echo(draft));
    });
    outbox.send(1, { content: 'a' });
    await settled();
    expect(world.pauses).toEqual([7000]);
    expect(outbox.size).toBe(0);
  });

  it('discards what is not on its way', async () => {
    const { outbox } = setUp(() => Promise.reject(new ApiError(403, 'forbidden', 'no')));
    outbox.send(1, { content: 'a' });
    await settled();
    outbox.discard('k1');
    expect(outbox.size).toBe(0);
  });

  it('lets go of a message that an event brought before the answer', async () => {
    const { outbox } = setUp(() => new Promise(() => undefined));
    outbox.send(1, { content: 'a' });
    outbox.arrived('k1');
    await settled();
    expect(outbox.size).toBe(0);
  });

  it('forgets everything with its owner: an answer that comes late stores nothing', async () => {
    let answer: () => void = () => undefined;
    const { outbox, stored } = setUp((draft) => new Promise((resolve) => (answer = () => resolve(echo(draft)))));
    outbox.send(1, { content: 'a' });
    outbox.forget();
    answer();
    await settled();
    expect(stored).toEqual([]);
  });
});

describe('what was not sent when the page closed', () => {
  const lost = (): Promise<Message> => Promise.reject(new NetworkError('down'));
  const answered = (draft: Outgoing): Promise<Message> => Promise.resolve(echo(draft));

  async function closed(...texts: string[]): Promise<Memory> {
    const { outbox, shelf } = setUp(lost, false);
    await outbox.load(7);
    for (const content of texts) outbox.send(1, { content });
    await settled();
    return shelf;
  }

  it('goes out once and in order after a reload, under the same keys, before anything new', async () => {
    const shelf = await closed('a', 'b');
    const { outbox, posts, stored } = setUp(answered, true, shelf);
    const loaded = outbox.load(7);
    outbox.send(1, { content: 'new' });
    await loaded;
    await settled();
    expect(stored).toEqual(['a', 'b', 'new']);
    expect(posts.map((draft) => draft.key)).toEqual(['k1', 'k2', 'k3']);
    expect(shelf.rows.size).toBe(0);
  });

  it('does not go out again when another tab has sent or discarded it', async () => {
    const shelf = await closed('a', 'b');
    const { outbox, stored } = setUp(answered, true, shelf);
    const loaded = outbox.load(7);
    await shelf.remove('k1');
    await loaded;
    await settled();
    expect(stored).toEqual(['b']);
    expect(outbox.size).toBe(0);
  });

  it('keeps what the server refused, with its reason, and does not try it by itself', async () => {
    const before = setUp(() => Promise.reject(new ApiError(403, 'forbidden', 'no')));
    await before.outbox.load(7);
    before.outbox.send(1, { content: 'a' });
    await settled();
    const { outbox, posts } = setUp(answered, true, before.shelf);
    await outbox.load(7);
    await settled();
    expect(posts).toEqual([]);
    expect(outbox.of(1)).toMatchObject([{ state: 'failed', reason: 'no' }]);
    outbox.discard('k1');
    expect(before.shelf.rows.size).toBe(0);
  });

  it('leaves the device with its owner', async () => {
    const shelf = await closed('a');
    const { outbox, posts } = setUp(answered, true, shelf);
    await outbox.load(8);
    await settled();
    expect(posts).toEqual([]);
    outbox.forget();
    expect(shelf.rows.size).toBe(0);
  });
});
