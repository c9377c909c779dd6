import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { UserPresence } from '../../src/api/types';
import { Presences } from '../../src/state/presence.svelte';
import { Receipts } from '../../src/state/receipts.svelte';
import { Replica } from '../../src/state/replica.svelte';
import { Typing } from '../../src/state/typing.svelte';
import { event, message } from '../things';

const ME = 1;
const replicaOf = (): Replica => {
  const replica = new Replica();
  replica.forget(ME);
  return replica;
};

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

describe('typing', () => {
  const setUp = () => {
    const replica = replicaOf();
    const tell = vi.fn(() => Promise.resolve(null));
    return { replica, tell, typing: new Typing({ typing: tell }, replica) };
  };
  const writes = (userId: number) => event('typing', { chat_id: 1, user_id: userId });

  it('is told at most once in three seconds, and anew after a message', () => {
    const { typing, tell } = setUp();
    for (let key = 0; key < 50; key += 1) typing.tell(1);
    expect(tell).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(3000);
    typing.tell(1);
    expect(tell).toHaveBeenCalledTimes(2);
    typing.said(1);
    typing.tell(1);
    expect(tell).toHaveBeenCalledTimes(3);
  });

  it('of others is shown until they stop or say it; our own is not', () => {
    const { typing, replica } = setUp();
    [2, 3, ME].forEach((id) => replica.hear(writes(id)));
    expect([typing.of(1), typing.of(2)]).toEqual([[2, 3], []]);
    replica.hear(event('message.created', message(1, { sender_id: 2 }), 1));
    expect(typing.of(1)).toEqual([3]);
    vi.advanceTimersByTime(4000);
    replica.hear(writes(3));
    vi.advanceTimersByTime(4000);
    expect(typing.of(1)).toEqual([3]);
    vi.advanceTimersByTime(4000);
    expect(typing.of(1)).toEqual([]);
  });
});

describe('presence', () => {
  const one = (user_id: number, status: UserPresence['status']): UserPresence => ({
    user_id,
    status,
    text: null,
    last_seen_at: null,
  });

  it('is fetched once for all who are drawn together, then heard of', async () => {
    const replica = replicaOf();
    const presence = vi.fn((ids: readonly number[]) => Promise.resolve(ids.map((id) => one(id, 'away'))));
    const presences = new Presences({ presence, setPresence: () => Promise.reject(new Error()) }, replica);
    [2, 3, 2].forEach((id) => presences.want(id));
    await vi.advanceTimersByTimeAsync(100);
    expect(presence.mock.calls).toEqual([[[2, 3]]]);
    replica.hear(event('presence.changed', one(3, 'online')));
    expect([presences.of(2), presences.of(3), presences.of(4)]).toEqual(['away', 'online', null]);
  });

  it('that could not be fetched is asked for again, though it is drawn already', async () => {
    const presence = vi.fn(() => Promise.resolve([one(2, 'busy')]));
    presence.mockRejectedValueOnce(new Error('down'));
    const presences = new Presences({ presence, setPresence: () => Promise.reject(new Error()) }, replicaOf());
    presences.want(2);
    await vi.advanceTimersByTimeAsync(100);
    expect([presences.of(2), presence.mock.calls.length]).toEqual([null, 1]);
    await vi.advanceTimersByTimeAsync(5000);
    expect([presences.of(2), presence.mock.calls.length]).toEqual(['busy', 2]);
  });

  it('is asked for at once when the stream is back, however long ago the last try was', async () => {
    const presence = vi.fn(() => Promise.resolve([one(2, 'busy')]));
    const presences = new Presences({ presence, setPresence: () => Promise.reject(new Error()) }, replicaOf());
    presence.mockRejectedValue(new Error('down'));
    presences.want(2);
    await vi.advanceTimersByTimeAsync(120_000);
    presence.mockClear().mockResolvedValue([one(2, 'busy')]);
    presences.refresh();
    await vi.advanceTimersByTimeAsync(100);
    expect([presences.of(2), presence.mock.calls]).toEqual(['busy', [[[2]]]]);
  });

  it('that one person wants is not lost in what another, who has left, was still asking for', async () => {
    const replica = replicaOf();
    let answer: (found: UserPresence[]) => void = () => undefined;
    const presence = vi.fn(() => Promise.resolve([one(2, 'busy')]));
    presence.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    const presences = new Presences({ presence, setPresence: () => Promise.reject(new Error()) }, replica);
    presences.want(2);
    await vi.advanceTimersByTimeAsync(100);
    presences.forget();
    replica.forget(7);
    presences.want(2);
    answer([one(2, 'away')]);
    await vi.advanceTimersByTimeAsync(100);
    expect([presences.of(2), presence.mock.calls.length]).toEqual(['busy', 2]);
  });

  it('that was heard of while it was asked for is not what the older answer says', async () => {
    const replica = replicaOf();
    const answers = [one(2, 'offline'), one(2, 'online')];
    const presence = vi.fn(async () => {
      const answer = answers.shift();
      if (answers.length > 0) replica.hear(event('presence.changed', one(2, 'online')));
      return await Promise.resolve(answer ? [answer] : []);
    });
    const presences = new Presences({ presence, setPresence: () => Promise.reject(new Error()) }, replica);
    presences.want(2);
    await vi.advanceTimersByTimeAsync(100);
    expect(presences.of(2)).toBe('online');
  });
});

describe('receipts', () => {
  it('name those who have read a message, without its sender and oneself; nobody unreads', async () => {
    const replica = replicaOf();
    const at = (user_id: number, last_read_seq: number) => ({ user_id, last_read_seq, read_at: null });
    const receipts = new Receipts({ receipts: () => Promise.resolve([at(ME, 9), at(2, 5), at(3, 2)]) }, replica);
    await receipts.open(1);
    expect([receipts.readers(1, 5, ME), receipts.readers(1, 2, 3)]).toEqual([[2], [2]]);
    replica.hear(event('receipt.updated', { chat_id: 1, user_id: 3, last_read_seq: 6 }));
    replica.hear(event('receipt.updated', { chat_id: 1, user_id: 2, last_read_seq: 1 }));
    replica.hear(event('receipt.updated', { chat_id: 2, user_id: 2, last_read_seq: 1 }));
    expect([receipts.readers(1, 5, ME), receipts.readers(2, 1, ME)]).toEqual([[2, 3], []]);
  });
});
