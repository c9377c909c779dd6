/**
 * However tabs open, close, freeze miss messages and take the lead from each other: each ends with every event of the server, none
 * twice, in order; and one connection.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServerEvent } from '../../src/realtime/events';
import { Tab, type Deed, type TabMessage } from '../../src/realtime/tabs';

/** What a tab knows: the position of the last event of the one stream. */
type State = number;

const eventAt = (pos: number): ServerEvent =>
  ({ type: 'message.created', stream: 'chat:1', pos, chat_id: 1, at: '', payload: {} }) as unknown as ServerEvent;

/** A tab with what the shell around it does, and a mail box: messages arrive when the world says so. */
class Page {
  readonly tab: Tab<State>;
  known = 0;
  readonly seen: number[] = [];
  isFrozen = false;
  isOpen = false;
  /** Where its own connection stands; null: it has none. */
  at: number | null = null;
  box: TabMessage<State>[] = [];

  constructor(
    readonly world: World,
    id: number,
  ) {
    this.tab = new Tab<State>(`tab ${id}`, () => this.known);
  }

  act(deeds: readonly Deed<State>[]): void {
    for (const deed of deeds) {
      if (deed.do === 'say') this.world.say(this, deed.message);
      else if (deed.do === 'open') this.connect(deed.cursor);
      else if (deed.do === 'close') this.at = null;
      else if (deed.do === 'deliver') this.take(deed.item.event.pos ?? 0);
      else if (deed.do === 'adopt') this.load(deed.state ?? this.world.log);
      else if (deed.do === 'seize') this.world.seize(this);
    }
  }

  /** Without a cursor the state is loaded; with one, the stream goes on from there. */
  private connect(cursor: string | null): void {
    if (cursor === null) this.load(this.world.log);
    this.at = cursor === null ? this.world.log : Number(cursor);
  }

  /** By position: what is known is dropped. A hole would be a lost event. */
  take(pos: number): void {
    if (pos <= this.known) return;
    expect(pos).toBe(this.known + 1);
    this.known = pos;
    this.seen.push(pos);
  }

  private load(pos: number): void {
    this.known = Math.max(this.known, pos);
  }

  /** What the server has for its connection, up to `most` events, in one piece. */
  pull(most: number): void {
    if (this.at === null || this.isFrozen) return;
    const items = [];
    for (; this.at < this.world.log && items.length < most; this.at += 1) {
      this.take(this.at + 1);
      items.push({ event: eventAt(this.at + 1), resumed: false });
    }
    this.act(this.tab.chunk(items, String(this.at)));
  }

  read(): void {
    const message = this.isFrozen ? undefined : this.box.shift();
    if (message) this.act(this.tab.hear(message, this.world.now));
  }
}

class World {
  log = 0;
  now = 0;
  readonly pages: Page[];
  private holder: Page | null = null;

  constructor(count: number) {
    this.pages = Array.from({ length: count }, (_, id) => new Page(this, id));
  }

  say(from: Page, message: TabMessage<State>): void {
    for (const page of this.pages) if (page !== from && page.isOpen) page.box.push(structuredClone(message));
  }

  open(page: Page): void {
    if (page.isOpen) return;
    page.isOpen = true;
    page.isFrozen = false;
    page.box = [];
    page.act(page.tab.join(page.known > 0 ? page.tab.cursor : null, this.now));
    this.grant();
  }

  close(page: Page): void {
    if (!page.isOpen) return;
    page.isOpen = false;
    page.tab.stop();
    page.at = null;
    page.known = 0;
    page.seen.length = 0;
    if (this.holder === page) this.holder = null;
    this.grant();
  }

  seize(page: Page): void {
    const deposed = this.holder;
    this.holder = page;
    page.act(page.tab.lead());
    // It learns so when it wakes.
    if (deposed && deposed !== page && !deposed.isFrozen) deposed.act(deposed.tab.yield(this.now));
  }

  wake(page: Page): void {
    if (!page.isOpen || !page.isFrozen) return;
    page.isFrozen = false;
    if (this.holder !== page) page.act(page.tab.yield(this.now));
  }

  private grant(): void {
    if (this.holder) return;
    const next = this.pages.find((page) => page.isOpen && !page.isFrozen);
    if (!next) return;
    this.holder = next;
    next.act(next.tab.lead());
  }

  /** All that is under way arrives, with time for the silent to be found out. */
  settle(): void {
    for (let round = 0; round < 40; round += 1) {
      this.now += 5_000;
      this.grant();
      for (const page of this.pages) {
        page.pull(100);
        for (let n = page.box.length; n > 0; n -= 1) page.read();
        if (page.isOpen && !page.isFrozen) page.act(page.tab.look(this.now, true));
      }
    }
  }
}

const step = fc.oneof(
  fc.record({ what: fc.constant('post' as const), tab: fc.nat(3) }),
  fc.record({
    what: fc.constantFrom('open' as const, 'close' as const, 'freeze' as const, 'wake' as const),
    tab: fc.nat(3),
  }),
  fc.record({
    what: fc.constantFrom('pull' as const, 'read' as const, 'lose' as const, 'look' as const),
    tab: fc.nat(3),
  }),
);

function carryOut(world: World, { what, tab }: { what: string; tab: number }): void {
  const page = world.pages[tab % world.pages.length];
  if (!page) return;
  if (what === 'post') world.log += 1;
  else if (what === 'open') world.open(page);
  else if (what === 'close') world.close(page);
  else if (what === 'freeze') page.isFrozen = page.isOpen;
  else if (what === 'wake') world.wake(page);
  else if (what === 'pull') page.pull(2);
  else if (what === 'read') page.read();
  else if (what === 'lose') page.box.shift();
  else if (page.isOpen && !page.isFrozen) {
    world.now += 3_000;
    page.act(page.tab.look(world.now, true));
  }
}

describe('tabs of one person', () => {
  it('lose nothing and hold one connection, whatever happens to them', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const world = new World(4);
        for (const one of steps) carryOut(world, one);
        for (const page of world.pages) world.wake(page);
        world.log += 1;
        world.settle();
        const open = world.pages.filter((page) => page.isOpen);
        for (const page of open) expect(page.known).toBe(world.log);
        expect(open.filter((page) => page.at !== null)).toHaveLength(Math.min(1, open.length));
      }),
      { numRuns: 500 },
    );
  });

  it('go on without the leader’s state when they stand where the next one begins', () => {
    const world = new World(3);
    for (const page of world.pages) world.open(page);
    world.settle();
    world.log = 3;
    world.settle();
    const [first, second, third] = world.pages;
    if (!first || !second || !third) throw new Error('three tabs');
    world.close(first);
    expect(second.at).toBe(3);
    const said = third.box.length;
    third.read();
    expect(third.box).toHaveLength(said - 1);
    world.log = 4;
    second.pull(1);
    third.read();
    expect(third.known).toBe(4);
    expect(third.seen).toEqual([1, 2, 3, 4]);
  });

  it('depose a leader that is frozen only while somebody looks', () => {
    const world = new World(2);
    for (const page of world.pages) world.open(page);
    world.settle();
    const [first, second] = world.pages;
    if (!first || !second) throw new Error('two tabs');
    first.isFrozen = true;
    world.now += 60_000;
    expect(second.tab.look(world.now, false)).toEqual([]);
    second.act(second.tab.look(world.now, true));
    world.now += 5_000;
    second.act(second.tab.look(world.now, true));
    expect(second.at).not.toBeNull();
    world.log = 1;
    second.pull(1);
    world.wake(first);
    expect(first.at).toBeNull();
    world.settle();
    expect(first.known).toBe(1);
  });
});
