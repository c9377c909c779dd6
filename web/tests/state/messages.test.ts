import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError, NetworkError } from '../../src/api/http';
import type { Api, Place } from '../../src/api/routes';
import type { Message } from '../../src/api/types';
import { Messages } from '../../src/state/messages.svelte';
import { Replica } from '../../src/state/replica.svelte';
import { chat, message } from '../things';

const LAST = 1_000;
const stretch = (from: number, to: number): Message[] =>
  Array.from({ length: to - from + 1 }, (_, index) => message(from + index));

/** A history whose questions are answered when, and in the order, that a test says. */
function setUp() {
  const asked: { place: Place; answer: (page: Message[]) => Promise<void> }[] = [];
  const ask = (_: number, place: Place): Promise<Message[]> =>
    new Promise((resolve) => {
      asked.push({ place, answer: (page) => (resolve(page), new Promise((done) => setTimeout(done, 0))) });
    });
  const replica = new Replica();
  replica.forget(1);
  replica.change((model) => ({ ...model, chats: new Map([[1, chat({ last_seq: LAST })]]) }));
  const messages = new Messages({ messages: ask } as unknown as Api, replica);
  const seqs = (): (number | undefined)[] => {
    const { items } = messages.window(1);
    return [items[0]?.seq, items.at(-1)?.seq];
  };
  return { asked, messages, seqs };
}

describe('a history whose answers come in another order', () => {
  it('stays where one went last, whichever answer comes last', async () => {
    const { asked, messages, seqs } = setUp();
    void messages.open(1, 1_100);
    void messages.loadNewest(1);
    await asked[1]?.answer(stretch(951, LAST));
    await asked[0]?.answer(stretch(75, 124));
    expect([seqs(), messages.state]).toEqual([[951, LAST], 'idle']);
  });

  it('does not go back to the older messages that were on their way when one went to the present', async () => {
    const { asked, messages, seqs } = setUp();
    void messages.open(1, 1_100);
    await asked[0]?.answer(stretch(75, 124));
    void messages.loadOlder(1);
    void messages.loadNewest(1);
    await asked[2]?.answer(stretch(951, LAST));
    await asked[1]?.answer(stretch(1, 74));
    expect([seqs(), messages.olderState]).toEqual([[951, LAST], 'idle']);
    void messages.loadOlder(1);
    await asked[3]?.answer(stretch(851, 950));
    expect(seqs()).toEqual([851, LAST]);
  });
});

describe('a history that is brought up to date', () => {
  it('leaves one where one goes meanwhile', async () => {
    const { asked, messages, seqs } = setUp();
    void messages.open(1, null);
    await asked[0]?.answer(stretch(951, LAST));
    void messages.refresh();
    void messages.loadAround(1, 1_100);
    await asked[2]?.answer(stretch(75, 124));
    await asked[1]?.answer(stretch(952, LAST));
    expect(seqs()).toEqual([75, 124]);
  });

  it('is that of the address also when its newest messages, asked for later, come after it', async () => {
    const { asked, messages, seqs } = setUp();
    void messages.open(1, 1_100);
    void messages.refresh();
    await asked[0]?.answer(stretch(75, 124));
    await asked[1]?.answer(stretch(951, LAST));
    expect(seqs()).toEqual([75, 124]);
  });

  it('has what was said in the meantime', async () => {
    const { asked, messages, seqs } = setUp();
    void messages.open(1, null);
    await asked[0]?.answer(stretch(851, 950));
    void messages.refresh();
    await asked[1]?.answer(stretch(852, 951));
    await asked[2]?.answer(stretch(952, LAST));
    expect(seqs()).toEqual([851, LAST]);
  });
});

describe('how far one has read', () => {
  afterEach(() => void vi.useRealTimers());

  it('is said again until the server has heard it, or more has been read', async () => {
    vi.useFakeTimers();
    const read = vi.fn(() => Promise.resolve());
    const replica = new Replica();
    replica.forget(1);
    replica.change((model) => ({ ...model, chats: new Map([[1, chat({ last_seq: 9, unread_count: 9 })]]) }));
    const messages = new Messages({ read } as unknown as Api, replica);
    read.mockRejectedValueOnce(new NetworkError('down')).mockRejectedValueOnce(new ApiError(503, 'away', 'Away.'));
    void messages.read(1, 4);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(read.mock.calls).toEqual([
      [1, 4],
      [1, 4],
      [1, 4],
    ]);
    read.mockRejectedValueOnce(new NetworkError('down'));
    void messages.read(1, 5);
    void messages.read(1, 6);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(read.mock.calls.slice(3)).toEqual([
      [1, 5],
      [1, 6],
    ]);
  });
});
