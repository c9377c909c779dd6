/**
 * Where unsent messages lie while the page is closed: a table of IndexedDB, one row a message.
 *
 * Shelf            what the outbox asks of it
 * DeviceShelf      the real one; a browser that forbids storage makes it hold nothing, and sending goes on
 */
import type { Id } from '../api/types';
import { run } from './database';
import type { Outgoing } from './outbox.svelte';

export interface Shelf {
  /** What one person has not sent, in the order it was written. What others left is removed. */
  load(owner: Id): Promise<Outgoing[]>;
  put(owner: Id, item: Outgoing): Promise<void>;
  remove(key: string): Promise<void>;
  /** Still there: neither sent nor discarded, by this tab or another. */
  has(key: string): Promise<boolean>;
  clear(): Promise<void>;
}

type Row = Outgoing & { owner: Id };

export class DeviceShelf implements Shelf {
  async load(owner: Id): Promise<Outgoing[]> {
    const rows = (await run<Row[]>('outbox', 'readonly', (table) => table.getAll())) ?? [];
    for (const row of rows) if (row.owner !== owner) await this.remove(row.key);
    return rows.filter((row) => row.owner === owner).sort((a, b) => a.order - b.order);
  }

  async put(owner: Id, item: Outgoing): Promise<void> {
    await run('outbox', 'readwrite', (table) => table.put({ ...item, owner } satisfies Row));
  }

  async remove(key: string): Promise<void> {
    await run('outbox', 'readwrite', (table) => table.delete(key));
  }

  async has(key: string): Promise<boolean> {
    return (await run<number>('outbox', 'readonly', (table) => table.count(key))) !== 0;
  }

  async clear(): Promise<void> {
    await run('outbox', 'readwrite', (table) => table.clear());
  }
}
