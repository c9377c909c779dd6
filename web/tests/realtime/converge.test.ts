/** Whatever order events come in, with duplicates, gaps and resumes: the page ends in the server's state. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chat, Message } from '../../src/api/types';
import { openWindow, snapshotChat } from '../../src/realtime/chats';
import type { ServerEvent } from '../../src/realtime/events';
import { EMPTY_WINDOW, emptyModel, mergePage, type Model, type Need } from '../../src/realtime/model';
import { beginReload, endHealing, endReload, reduce } from '../../src/realtime/reduce';
import { chat, event, later, message } from '../things';

const ME = 1;
type Act =
  { act: 'post'; mention: boolean; own: boolean } | { act: 'edit' | 'delete'; which: number } | { act: 'rename' };

/** A server with one chat: its state, and the log of how it came about. */
class Server {
  chat: Chat = chat();
  messages: Message[] = [];
  log: ServerEvent[] = [];

  do(act: Act): void {
    const at = later(1000 + this.log.length);
    if (act.act === 'post') return this.post(act.mention, act.own);
    if (act.act === 'rename') return this.rename(at);
    const old = this.messages[act.which % Math.max(1, this.messages.length)];
    if (!old || old.deleted_at !== null) return;
    const isEdit = act.act === 'edit';
    const changed = isEdit
      ? { ...old, content: `edit ${at}`, edited_at: at }
      : { ...old, content: '', mentions: [], deleted_at: at };
    this.messages[old.seq - 1] = changed;
    if (this.chat.last_seq === old.seq) this.chat = { ...this.chat, last_message: changed };
    this.log.push(event(isEdit ? 'message.updated' : 'message.deleted', changed, this.log.length + 1));
  }

  private post(mention: boolean, own: boolean): void {
    const mentions = mention && !own ? [ME] : [];
    const posted = message(this.messages.length + 1, { sender_id: own ? ME : 2, mentions });
    this.messages.push(posted);
    const last_read_seq = own ? posted.seq : this.chat.last_read_seq;
    const unread_count = posted.seq - last_read_seq;
    const mention_count = unread_count === 0 ? 0 : this.chat.mention_count + mentions.length;
    const counts = { last_read_seq, unread_count, mention_count };
    this.chat = { ...this.chat, last_seq: posted.seq, last_message: posted, ...counts };
    this.log.push(event('message.created', posted, this.log.length + 1));
  }

  private rename(at: string): void {
    this.chat = { ...this.chat, name: `name ${at}`, updated_at: at };
    this.log.push(event('chat.updated', this.chat, this.log.length + 1));
  }
}

/** The page, with the fetches it still waits for. */
class Page {
  model: Model = openWindow({ ...emptyModel(ME), chats: new Map([[1, chat()]]) }, 1);
  open: Need[] = [];

  constructor(private readonly server: Server) {}

  hear(one: ServerEvent): void {
    this.settle(reduce(this.model, one));
  }

  /** The server answers what was asked for, with its state as of now. */
  answer(): void {
    const need = this.open.shift();
    if (!need) return;
    const fresh = this.server.chat;
    const window = mergePage(this.model.windows.get(1) ?? EMPTY_WINDOW, this.server.messages);
    const chats = new Map([[1, snapshotChat(this.model.chats.get(1), fresh)]]);
    this.model = { ...this.model, chats, windows: new Map([[1, window]]) };
    if (need.what === 'stream') this.settle(endHealing(this.model, need.stream));
    else if (need.what === 'reload') this.reloaded();
  }

  resync(): void {
    this.model = beginReload(this.model);
    this.open.push({ what: 'reload' });
  }

  /** The stream goes on at the server's position: the first event that comes is not beyond the next one. */
  private reloaded(): void {
    this.settle(endReload(this.model));
    const last = this.server.log.at(-1);
    if (last) this.hear(last);
  }

  private settle({ model, needs }: { model: Model; needs: readonly Need[] }): void {
    this.model = model;
    this.open.push(...needs);
  }
}

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ act: fc.constant('post' as const), mention: fc.boolean(), own: fc.boolean() }),
  fc.record({ act: fc.constantFrom('edit' as const, 'delete' as const), which: fc.nat(20) }),
  fc.constant({ act: 'rename' as const }),
);

describe('the page', () => {
  it('ends in the state of the server after any order of events, with duplicates and gaps', () => {
    const steps = fc.array(fc.record({ jump: fc.nat(9), then: fc.constantFrom('hear', 'answer', 'resync') }));
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 25 }), steps, (acts, deliveries) => {
        const server = new Server();
        const page = new Page(server);
        server.do({ act: 'rename' });
        server.log.forEach((one) => page.hear(one));
        for (const one of acts) server.do(one);
        for (const { jump, then } of deliveries) {
          const one = server.log[jump % Math.max(1, server.log.length)];
          if (then === 'hear' && one) page.hear(one);
          else if (then === 'answer') page.answer();
          else if (then === 'resync') page.resync();
        }
        finish(server, page);
        expect(page.model.chats.get(1)).toEqual(server.chat);
        expect(page.model.windows.get(1)?.items).toEqual(server.messages);
      }),
      { numRuns: 500 },
    );
  });

  it('ends in the state of the server when connections break and resume from a cursor', () => {
    const cuts = fc.array(fc.record({ from: fc.nat(5), count: fc.nat(8) }));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), cuts, (acts, resumes) => {
        const server = new Server();
        const page = new Page(server);
        let sent = 0;
        acts.forEach((one, index) => {
          server.do(one);
          const { from, count } = resumes[index] ?? { from: 0, count: 1 };
          const start = Math.max(0, sent - from);
          for (const replayed of server.log.slice(start, start + count)) page.hear(replayed);
          sent = Math.max(sent, Math.min(server.log.length, start + count));
        });
        for (const rest of server.log.slice(sent)) page.hear(rest);
        expect(page.open).toEqual([]);
        expect(page.model.chats.get(1)).toEqual(server.chat);
      }),
    );
  });
});

/** The connection is sound again: what is left of the log comes, and every question is answered. */
function finish(server: Server, page: Page): void {
  server.do({ act: 'post', mention: false, own: false });
  const last = server.log.at(-1);
  if (last) page.hear(last);
  for (let rounds = 0; page.open.length > 0 && rounds < 200; rounds += 1) page.answer();
  expect(page.open).toEqual([]);
}
