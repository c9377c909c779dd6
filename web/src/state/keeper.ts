/**
 * The last state, kept on the device: what the page shows before the network answers, or without it.
 *
 * load             what was kept last; null if there is nothing, or nothing that this version can read
 * Keeper           start (whose, and what to keep), soon (something has changed), stop; wipe
 *
 * A row for each part, and only the parts that have changed are written, all in one transaction: state and cursor always
 * belong together. Whoever signs out takes it all away, and so does whoever comes after somebody else.
 */
import type { Config, Id, User } from '../api/types';
import type { MessageWindow } from '../realtime/model';
import type { Snapshot } from '../realtime/snapshot';
import { run } from './database';

/** All one needs to go on: who it was, what was known, and where the stream stood. */
export interface Kept {
  user: User;
  config: Config;
  workspaceId: Id | null;
  cursor: string;
  snapshot: Snapshot;
}

type Part = keyof Snapshot;
interface Head extends Omit<Kept, 'snapshot'> {
  schema: number;
  at: number;
}

/** Grows when older rows can no longer be read; then they are dropped. */
const SCHEMA = 1;
const PARTS: readonly Part[] = ['me', 'workspaces', 'chats', 'members', 'people', 'streams'];
const WINDOW = 'window:';
const SAVE_MS = 1_500;
const OLDEST_MS = 30 * 24 * 3_600_000;

export async function load(): Promise<Kept | null> {
  const rows = new Map<string, unknown>();
  await run('state', 'readonly', (table) => {
    const cursor = table.openCursor();
    cursor.onsuccess = () => {
      if (cursor.result === null) return;
      rows.set(String(cursor.result.key), cursor.result.value);
      cursor.result.continue();
    };
    return null;
  });
  return read(rows);
}

export const wipe = async (): Promise<void> => {
  await run('state', 'readwrite', (table) => table.clear());
};

export class Keeper {
  private kept: (() => Kept | null) | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  /** What lies on the device, by row; null: not known, so everything is written anew. */
  private written: Map<string, unknown> | null = null;

  /** `kept` gives what is to be kept now, null while it is incomplete or another tab's to keep. */
  start(kept: () => Kept | null): void {
    this.kept = kept;
    this.written = null;
  }

  soon(): void {
    if (this.kept === null) return;
    this.timer ??= setTimeout(() => void this.save(), SAVE_MS);
  }

  /** The page may be closed any moment. */
  now(): void {
    if (this.timer !== null) void this.save();
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.kept = null;
  }

  private async save(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const kept = this.kept?.() ?? null;
    if (kept === null) {
      this.written = null;
      return;
    }
    const [before, rows] = [this.written, rowsOf(kept)];
    this.written = rows;
    await run('state', 'readwrite', (table) => {
      if (before === null) table.clear();
      for (const key of before?.keys() ?? []) if (!rows.has(key)) table.delete(key);
      for (const [key, value] of rows) if (before?.get(key) !== value) table.put(value, key);
      return table.put(headOf(kept), 'head');
    });
  }
}

function headOf({ user, config, workspaceId, cursor }: Kept): Head {
  return { schema: SCHEMA, at: Date.now(), user, config, workspaceId, cursor };
}

function rowsOf({ snapshot }: Kept): Map<string, unknown> {
  const rows = new Map<string, unknown>(PARTS.map((part) => [part, snapshot[part]]));
  for (const [id, window] of snapshot.windows) rows.set(`${WINDOW}${id}`, window);
  return rows;
}

function read(rows: ReadonlyMap<string, unknown>): Kept | null {
  const head = rows.get('head') as Head | undefined;
  if (head?.schema !== SCHEMA || Date.now() - head.at > OLDEST_MS || !PARTS.every((part) => rows.has(part)))
    return null;
  const windows = [...rows].filter(([key]) => key.startsWith(WINDOW)) as [string, MessageWindow][];
  const parts = Object.fromEntries(PARTS.map((part) => [part, rows.get(part)])) as unknown as Omit<Snapshot, 'windows'>;
  const { user, config, workspaceId, cursor } = head;
  const snapshot = {
    ...parts,
    windows: new Map(windows.map(([key, window]) => [Number(key.slice(WINDOW.length)), window])),
  };
  return snapshot.me === user.id ? { user, config, workspaceId, cursor, snapshot } : null;
}
