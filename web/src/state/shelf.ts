/**
 * Where unsent messages lie while the page is closed: a table of IndexedDB, one row a message.
 *
 * Shelf            what the outbox asks of it
 * DeviceShelf      the real one; a browser that forbids storage makes it hold nothing, and sending goes on
 */
import type { Id } from '../api/types';
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

const DATABASE = 'fechatter';
const VERSION = 1;
const TABLE = 'outbox';

export class DeviceShelf implements Shelf {
  private database: Promise<IDBDatabase> | null = null;

  async load(owner: Id): Promise<Outgoing[]> {
    const rows = (await this.run<Row[]>('readonly', (table) => table.getAll())) ?? [];
    for (const row of rows) if (row.owner !== owner) await this.remove(row.key);
    return rows.filter((row) => row.owner === owner).sort((a, b) => a.order - b.order);
  }

  async put(owner: Id, item: Outgoing): Promise<void> {
    await this.run('readwrite', (table) => table.put({ ...item, owner } satisfies Row));
  }

  async remove(key: string): Promise<void> {
    await this.run('readwrite', (table) => table.delete(key));
  }

  async has(key: string): Promise<boolean> {
    return (await this.run<number>('readonly', (table) => table.count(key))) !== 0;
  }

  async clear(): Promise<void> {
    await this.run('readwrite', (table) => table.clear());
  }

  /** One request in a transaction of its own; undefined when this browser keeps nothing. */
  private async run<T>(mode: IDBTransactionMode, ask: (table: IDBObjectStore) => IDBRequest): Promise<T | undefined> {
    try {
      const database = await (this.database ??= open());
      const request = ask(database.transaction(TABLE, mode).objectStore(TABLE));
      return await settled<T>(request);
    } catch (error) {
      console.info('Unsent messages cannot be kept in this browser.', error);
      return undefined;
    }
  }
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: 'key' });
  const database = await settled<IDBDatabase>(request);
  database.onversionchange = () => database.close();
  return database;
}

function settled<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error ?? new Error('The browser gave no reason.'));
  });
}
