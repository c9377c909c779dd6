import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Api } from '../../src/api/routes';
import { Edits } from '../../src/state/edits.svelte';
import { Replica } from '../../src/state/replica.svelte';
import { chat, later, message } from '../things';

const ME = 1;
const own = message(1, { sender_id: ME, content: 'teh' });

function setUp(removing: () => Promise<void> = () => Promise.resolve()) {
  const replica = new Replica();
  replica.forget(ME);
  const window = { items: [message(1, { sender_id: ME, content: 'teh' })], heard: new Map() };
  replica.change((model) => ({
    ...model,
    chats: new Map([[1, chat({ last_seq: 1, last_message: own })]]),
    windows: new Map([[1, window]]),
  }));
  const api = {
    edit: vi.fn((_chat: number, _id: number, content: string) =>
      Promise.resolve({ ...own, content, edited_at: later(60) }),
    ),
    removeMessage: vi.fn(removing),
  };
  const edits = new Edits(api as unknown as Api, replica, () => 'why');
  const shown = () => replica.windows.get(1)?.items[0];
  return { edits, api, replica, shown };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('changing a message', () => {
  it('shows the new text at once, and asks for nothing when it is the old one', async () => {
    const { edits, api, shown } = setUp();
    await edits.save(own, 'teh');
    expect(api.edit).not.toHaveBeenCalled();
    await edits.save(own, 'the');
    expect(shown()).toMatchObject({ content: 'the', edited_at: later(60) });
  });

  it('deletes after a while, and leaves a tombstone', async () => {
    const { edits, api, shown } = setUp();
    edits.remove(own);
    await vi.advanceTimersByTimeAsync(3000);
    expect(api.removeMessage).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(5000);
    expect(api.removeMessage).toHaveBeenCalledExactlyOnceWith(1, own.id);
    expect(shown()?.content).toBe('');
    expect(shown()?.deleted_at).not.toBeNull();
    expect(edits.removals.size).toBe(0);
  });

  it('does not delete what was undone', async () => {
    const { edits, api, shown } = setUp();
    edits.remove(own);
    edits.undo(own.id);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(api.removeMessage).not.toHaveBeenCalled();
    expect(shown()?.content).toBe('teh');
  });

  it('deletes what waits when the page goes away, once', async () => {
    const { edits, api } = setUp();
    edits.remove(own);
    await edits.flush();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(api.removeMessage).toHaveBeenCalledOnce();
  });

  it('does nothing any more for an owner who has left', async () => {
    const { edits, api } = setUp();
    edits.remove(own);
    edits.forget();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([api.removeMessage.mock.calls.length, edits.removals.size]).toEqual([0, 0]);
  });

  it('says why when it could not be deleted, and keeps the message', async () => {
    const { edits, shown } = setUp(() => Promise.reject(new Error('no')));
    edits.remove(own);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(edits.removals.get(own.id)).toMatchObject({ state: 'failed', reason: 'why' });
    expect(shown()?.content).toBe('teh');
  });

  it('is for its sender; who runs the chat may delete', () => {
    const { edits } = setUp();
    const others = message(2, { sender_id: 2 });
    const gone = message(3, { sender_id: ME, deleted_at: later(9) });
    expect([own, others, gone].map((one) => edits.mayEdit(one))).toEqual([true, false, false]);
    expect(edits.lastOwn([own, others, gone])).toBe(own);
    expect(edits.mayRemove(others, chat({ created_by: 2 }))).toBe(false);
    expect(edits.mayRemove(others, chat({ created_by: ME }))).toBe(true);
  });
});
