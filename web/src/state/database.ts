/**
 * The page's tables in IndexedDB.
 *
 * run              requests in one transaction, written at once; undefined in a browser that keeps nothing
 *
 * A tab of an older version gives way to one that makes the tables anew, and opens them again when it needs them.
 */
export type Table = 'outbox' | 'state';

const DATABASE = 'fechatter';
const VERSION = 2;
let opened: Promise<IDBDatabase> | null = null;
let isSaid = false;

/** Resolves when the transaction has been kept, with what the last request found. */
export async function run<T>(
  table: Table,
  mode: IDBTransactionMode,
  ask: (table: IDBObjectStore) => IDBRequest | null,
): Promise<T | undefined> {
  try {
    const database = await (opened ??= open());
    const transaction = database.transaction(table, mode);
    const request = ask(transaction.objectStore(table));
    // Not only once its answers have come back: the page may be gone by then.
    if (mode === 'readwrite') transaction.commit();
    await finished(transaction);
    return request?.result as T | undefined;
  } catch (error) {
    opened = null;
    if (!isSaid) console.info('This browser keeps nothing between visits.', error);
    isSaid = true;
    return undefined;
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = (event) => upgrade(request.result, event.oldVersion);
    request.onerror = () => reject(request.error ?? new Error('The browser gave no reason.'));
    request.onsuccess = () => {
      const database = request.result;
      database.onclose = () => (opened = null);
      database.onversionchange = () => {
        opened = null;
        database.close();
      };
      resolve(database);
    };
  });
}

function upgrade(database: IDBDatabase, from: number): void {
  if (from < 1) database.createObjectStore('outbox', { keyPath: 'key' });
  if (from < 2) database.createObjectStore('state');
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () =>
      reject(transaction.error ?? new Error('The browser gave no reason.'));
  });
}
