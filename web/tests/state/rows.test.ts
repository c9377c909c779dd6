import { describe, expect, it } from 'vitest';
import { rowsOf } from '../../src/state/rows';
import { AT, later, message } from '../things';

const ME = 1;
const outgoing = (key: string) =>
  ({
    key,
    chatId: 1,
    content: key,
    replyTo: null,
    files: [],
    order: 1,
    isOld: false,
    writtenAt: AT,
    state: 'sending',
    reason: null,
  }) as const;

describe('rows', () => {
  it('group what one person says within five minutes', () => {
    const rows = rowsOf(
      [message(1), message(2), message(3, { sender_id: 3 }), message(4, { sender_id: 3, created_at: later(900) })],
      [],
      ME,
      null,
    );
    expect(rows.map((row) => row.startsGroup)).toEqual([true, false, true, true]);
  });

  it('begin a group with a reply', () => {
    expect(rowsOf([message(1), message(2, { reply_to: 1001 })], [], ME, null)[1]?.startsGroup).toBe(true);
  });

  it('open each day once', () => {
    const day = 86_400;
    const at = (seconds: number) => ({ created_at: later(seconds) });
    const rows = rowsOf(
      [message(1, at(0)), message(2, at(1)), message(3, at(day)), message(4, at(day + 1))],
      [],
      ME,
      null,
    );
    expect(rows.map((row) => row.startsDay)).toEqual([true, false, true, false]);
  });

  it('draw the line of new messages once, before the first that is not our own', () => {
    const rows = rowsOf([message(1), message(2, { sender_id: ME }), message(3), message(4)], [], ME, 1);
    expect(rows.map((row) => row.startsUnread)).toEqual([false, false, true, false]);
    expect(rowsOf([message(1)], [], ME, null)[0]?.startsUnread).toBe(false);
  });

  it('show a message on its way once, in the same place under the same key when it is stored', () => {
    const before = rowsOf([], [outgoing('k1'), outgoing('k2')], ME, null);
    const stored = message(1, { sender_id: ME, idempotency_key: 'k1' });
    const after = rowsOf([stored], [outgoing('k1'), outgoing('k2')], ME, null);
    expect(after.map((row) => row.key)).toEqual(before.map((row) => row.key));
    expect(after[0]?.message).toBe(stored);
  });

  it('keep keys apart when two people use the same one', () => {
    const rows = rowsOf(
      [message(1, { idempotency_key: 'k' }), message(2, { sender_id: 3, idempotency_key: 'k' })],
      [],
      ME,
      null,
    );
    expect(new Set(rows.map((row) => row.key)).size).toBe(2);
  });
});
