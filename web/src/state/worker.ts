/**
 * The page's worker: registered, and registered again until one has stayed.
 *
 * keepWorker       tells of each registration, null for a try without one; ends once this page has a worker
 */
import { backoff, pause } from '../realtime/backoff';
import type { PageMessage } from '../worker/words';

const WORKER = '/sw.js';
/** A worker that takes in all files while the first page is on its way makes that a quarter of a second later. */
const FIRST_MS = 2_000;
const RETRY_MS = 5_000;
const RETRY_MAX_MS = 5 * 60_000;

/** A worker that could not take in all of its files is gone, and its registration with it. */
export async function keepWorker(tried: (registration: ServiceWorkerRegistration | null) => void): Promise<void> {
  const address = trusted(WORKER);
  if (navigator.serviceWorker.controller === null) await pause(FIRST_MS);
  for (let attempt = 0; ; attempt += 1) {
    try {
      const registration = await navigator.serviceWorker.register(address, { updateViaCache: 'none' });
      tried(registration);
      if (await stays(registration)) return askFor(registration);
    } catch (error) {
      tried(null);
      // TypeError: its script did not come. All else is a browser that keeps no worker.
      if (!(error instanceof TypeError)) return console.info('The page needs the network.', error);
    }
    await pause(backoff(attempt, RETRY_MS, RETRY_MAX_MS));
  }
}

/** Whether a worker is there once the one that is being installed has been, or has failed. */
async function stays(registration: ServiceWorkerRegistration): Promise<boolean> {
  const { installing } = registration;
  if (installing === null) return (registration.waiting ?? registration.active) !== null;
  await new Promise<void>((resolve) => {
    installing.addEventListener('statechange', () => installing.state !== 'installing' && resolve());
  });
  return installing.state !== 'redundant' || registration.active !== null;
}

/** One that took over all pages while this one was on its way has left it out, and it would have none until it is left. */
function askFor(registration: ServiceWorkerRegistration): void {
  if (navigator.serviceWorker.controller === null)
    registration.active?.postMessage({ what: 'claim' } satisfies PageMessage);
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): {
    createScriptURL(url: string): string;
  };
}

/** The one address that the page may run as a worker. */
function trusted(url: string): string {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  const createScriptURL = (asked: string): string => {
    if (asked !== WORKER) throw new TypeError('Only the own worker may be run.');
    return asked;
  };
  return types?.createPolicy('fechatter-worker', { createScriptURL }).createScriptURL(url) ?? url;
}
