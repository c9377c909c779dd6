import { describe, expect, it } from 'vitest';
import { emptyModel, type Model, type Person } from '../../src/realtime/model';
import { modelOf, snapshotOf } from '../../src/realtime/snapshot';
import { chat, message } from '../things';

const windowOf = (chatId: number, count: number) => ({
  items: Array.from({ length: count }, (_, index) => message(index + 1, { chat_id: chatId })),
  heard: new Map(),
});

function world(lastSeq: number, loaded: number): Model {
  return {
    ...emptyModel(1),
    chats: new Map([[7, chat({ id: 7, last_seq: lastSeq })]]),
    windows: new Map([[7, windowOf(7, loaded)]]),
  };
}

describe('what is kept', () => {
  it('is the end of the histories opened last', () => {
    const snapshot = snapshotOf(world(120, 120), [7]);
    expect(snapshot?.windows.get(7)?.items.map((one) => one.seq)).toEqual(Array.from({ length: 50 }, (_, n) => n + 71));
    expect(snapshot && modelOf(snapshot).held).toBeNull();
  });

  it('leaves out a stretch of the past, which events cannot bring up to date', () => {
    expect(snapshotOf(world(120, 60), [7])?.windows.size).toBe(0);
  });

  it('leaves out histories that were opened long ago', () => {
    expect(snapshotOf(world(120, 120), [])?.windows.size).toBe(0);
  });

  it('is nothing while something is being fetched', () => {
    expect(snapshotOf({ ...world(1, 1), held: [] }, [7])).toBeNull();
    expect(snapshotOf({ ...world(1, 1), streams: new Map([['chat:7', { pos: 1, held: [] }]]) }, [7])).toBeNull();
  });

  it('keeps those people of a large crowd who are seen', () => {
    const people = new Map<number, Person>(
      Array.from({ length: 5_000 }, (_, id): [number, Person] => [
        id,
        { id, fullname: `P${id}`, username: `p${id}`, avatar: null },
      ]),
    );
    const kept = snapshotOf({ ...world(3, 3), people }, [7])?.people;
    expect(kept?.size).toBeLessThan(10);
    expect(kept?.has(1)).toBe(true);
  });
});
