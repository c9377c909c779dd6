import { describe, expect, it } from 'vitest';
import { applyRead, openWindow, snapshotChat, withChat } from '../../src/realtime/chats';
import { emptyModel, mergePage, trim, EMPTY_WINDOW, type Model } from '../../src/realtime/model';
import { beginReload, endHealing, endReload, reduce } from '../../src/realtime/reduce';
import { chat, event, later, message } from '../things';

const ME = 1;
const start = (): Model => openWindow({ ...emptyModel(ME), chats: new Map([[1, chat()]]) }, 1);
const hear = (model: Model, ...events: Parameters<typeof reduce>[1][]): Model =>
  events.reduce((known, one) => reduce(known, one).model, model);
const seqs = (model: Model): number[] => (model.windows.get(1)?.items ?? []).map((one) => one.seq);
const withPage = (model: Model, ...page: number[]): Model => ({
  ...model,
  windows: new Map([
    [
      1,
      mergePage(
        model.windows.get(1) ?? EMPTY_WINDOW,
        page.map((seq) => message(seq)),
      ),
    ],
  ]),
});

describe('positions', () => {
  it('an event at or below the known position is dropped', () => {
    const model = hear(start(), event('message.created', message(1), 5));
    expect(reduce(model, event('message.created', message(2), 5)).model).toBe(model);
    expect(reduce(model, event('message.created', message(2), 4)).model).toBe(model);
  });

  it('a hole asks for the state of the stream and holds the event back', () => {
    const outcome = reduce(
      hear(start(), event('message.created', message(1), 5)),
      event('message.created', message(4), 8),
    );
    expect(outcome.needs).toEqual([{ what: 'stream', stream: 'chat:1' }]);
    expect(outcome.model.chats.get(1)?.last_seq).toBe(1);
    const healed = endHealing(outcome.model, 'chat:1');
    expect(healed.model.chats.get(1)?.last_seq).toBe(4);
    expect(healed.needs).toEqual([]);
    expect(reduce(healed.model, event('message.created', message(5), 9)).needs).toEqual([]);
  });

  it('what comes late for a hole that is being healed is dropped: the state holds it', () => {
    const gap = hear(start(), event('message.created', message(1), 5), event('message.created', message(4), 8));
    const late = hear(gap, event('message.created', message(2), 6));
    expect(late).toEqual(gap);
  });

  it('an unknown type keeps its place, so that the next event is no hole', () => {
    const model = hear(start(), event('message.created', message(1), 5), event('unknown', null, 6));
    expect(reduce(model, event('message.created', message(2), 7)).needs).toEqual([]);
  });

  it('streams are counted apart', () => {
    const model = hear(start(), event('message.created', message(1), 5));
    expect(reduce(model, event('message.created', message(1, { chat_id: 2 }), 9, 'chat:2')).needs).toEqual([
      { what: 'chat', chatId: 2 },
    ]);
  });

  it('resync_required asks for everything, and events wait for it', () => {
    const outcome = reduce(start(), event('resync_required', { reason: 'too old', cursor: 'c' }));
    expect(outcome.needs).toEqual([{ what: 'reload' }]);
    const waiting = hear(outcome.model, event('message.created', message(1), 7));
    expect(waiting.chats.get(1)?.last_seq).toBe(0);
    expect(endReload(waiting).model.chats.get(1)?.last_seq).toBe(1);
  });

  it('a reload forgets positions: a log that begins anew is no duplicate', () => {
    const model = endReload(beginReload(hear(start(), event('message.created', message(1), 50)))).model;
    expect(hear(model, event('message.created', message(2), 1)).chats.get(1)?.last_seq).toBe(2);
  });
});

describe('messages', () => {
  it('a new one is appended, counted as unread and shown as the last', () => {
    const model = hear(withPage(start(), 1, 2), event('message.created', message(3, { mentions: [ME] }), 1));
    expect(seqs(model)).toEqual([1, 2, 3]);
    expect(model.chats.get(1)).toMatchObject({ last_seq: 3, unread_count: 3, mention_count: 1 });
    expect(model.chats.get(1)?.last_message?.seq).toBe(3);
  });

  it('one of our own moves our read position', () => {
    const model = hear(withPage(start(), 1), event('message.created', message(2, { sender_id: ME }), 1));
    expect(model.chats.get(1)).toMatchObject({ last_read_seq: 2, unread_count: 0 });
  });

  it('the same one twice is one', () => {
    const model = hear(
      withPage(start(), 1),
      event('message.created', message(2)),
      event('message.created', message(2)),
    );
    expect(seqs(model)).toEqual([1, 2]);
    expect(model.chats.get(1)).toMatchObject({ last_seq: 2, unread_count: 2 });
  });

  it('one that comes while its page is on the way fits in behind it', () => {
    const model = hear(start(), event('message.created', message(3), 1));
    expect(seqs(model)).toEqual([]);
    expect(seqs(withPage(model, 1, 2))).toEqual([1, 2, 3]);
  });

  it('one that is beyond a hole waits outside of the window', () => {
    const model = hear(withPage(start(), 1, 2), event('message.created', message(5), 1));
    expect(seqs(model)).toEqual([1, 2]);
    expect(seqs(withPage(model, 3, 4))).toEqual([1, 2, 3, 4, 5]);
  });

  it('an edit and a deletion stay, also when an older page comes after them', () => {
    const edited = message(1, { content: 'better', edited_at: later(60) });
    const deleted = message(2, { content: '', deleted_at: later(60) });
    const model = withPage(
      hear(start(), event('message.updated', edited, 1), event('message.deleted', deleted, 2)),
      1,
      2,
    );
    expect(model.windows.get(1)?.items).toEqual([edited, deleted]);
  });

  it('a deletion of the last message shows in the list', () => {
    const model = hear(start(), event('message.created', message(1), 1));
    const gone = message(1, { content: '', deleted_at: later(9) });
    expect(hear(model, event('message.deleted', gone, 2)).chats.get(1)?.last_message?.deleted_at).toBe(later(9));
  });

  it('a page that does not touch the window replaces it; one that does extends it', () => {
    expect(seqs(withPage(withPage(start(), 1, 2), 7, 8))).toEqual([7, 8]);
    expect(seqs(withPage(withPage(start(), 4, 5), 3, 2))).toEqual([2, 3, 4, 5]);
  });

  it('a long window lets go of the far end', () => {
    const window = withPage(start(), 1, 2, 3, 4).windows.get(1) ?? EMPTY_WINDOW;
    expect(trim(window, 2, 'start').items.map((one) => one.seq)).toEqual([1, 2]);
    expect(trim(window, 2, 'end').items.map((one) => one.seq)).toEqual([3, 4]);
  });
});

describe('chats and members', () => {
  it('an event of a chat changes what all see and leaves our own counts', () => {
    const model = hear(start(), event('message.created', message(1), 1));
    const renamed = chat({ name: 'lobby', updated_at: later(5), unread_count: 0, last_seq: 0 });
    expect(hear(model, event('chat.updated', renamed, 2)).chats.get(1)).toMatchObject({
      name: 'lobby',
      unread_count: 1,
      last_seq: 1,
    });
  });

  it('an older version of a chat changes nothing', () => {
    const model = hear(start(), event('chat.updated', chat({ name: 'new', updated_at: later(5) }), 1));
    expect(hear(model, event('chat.updated', chat({ name: 'old' }), 2)).chats.get(1)?.name).toBe('new');
  });

  it('who is removed loses the chat and its messages', () => {
    const gone = event('member.removed', { chat_id: 1, user_id: ME, role: 'member' }, 1, 'user:1');
    const model = hear(withPage(start(), 1), gone);
    expect(model.chats.size + model.windows.size).toBe(0);
  });

  it('members are counted as they come and go', () => {
    const joins = (user_id: number, pos: number) => event('member.added', { chat_id: 1, user_id, role: 'member' }, pos);
    const model = hear(start(), joins(8, 1), joins(9, 2), joins(9, 2));
    expect(model.chats.get(1)?.member_count).toBe(4);
  });

  it('reading never moves back and never beyond the end', () => {
    const model = hear(start(), event('message.created', message(1), 1), event('message.created', message(2), 2));
    const read = applyRead(model, { chat_id: 1, last_read_seq: 9 });
    expect(read.chats.get(1)).toMatchObject({ last_read_seq: 2, unread_count: 0 });
    expect(applyRead(read, { chat_id: 1, last_read_seq: 1 })).toBe(read);
  });

  it('an answer that is older than the events heard meanwhile does not take them back', () => {
    const known = hear(start(), event('message.created', message(3), 1)).chats.get(1);
    expect(snapshotChat(known, chat({ last_seq: 2, unread_count: 2 }))).toMatchObject({ last_seq: 3, unread_count: 3 });
  });
});

describe('what the server says of a chat after it was changed or joined', () => {
  it('does not take back a message that came before that answer', () => {
    const known = hear(start(), event('message.created', message(1), 1));
    const named = withChat(known, chat({ name: 'lounge', last_seq: 0 }));
    expect(named.chats.get(1)).toMatchObject({ name: 'lounge', last_seq: 1, unread_count: 1 });
  });
});
