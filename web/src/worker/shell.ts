/**
 * The page itself, kept on the device by version, whole or not at all.
 *
 * install          take in every file of this version; fails if one is still missing, or of another version, after TRIES
 * cleanUp          let go of old versions, but for the last: a tab may still run it
 * isPage, pageFor  an address of the page gets index.html, also offline
 * isShellFile, fileFor
 */
import { backoff, pause } from '../realtime/backoff';

declare const self: ServiceWorkerGlobalScope;
declare const __SHELL__: { version: string; files: { path: string; sha256: string }[] };
/** Named once: the build writes the list wherever that name stands. */
const SHELL = __SHELL__;

const PREFIX = 'fechatter-shell-';
const CURRENT = PREFIX + SHELL.version;
const INDEX = '/index.html';
const PATHS = new Set(SHELL.files.map(({ path }) => `/${path}`));
/** What the server answers itself. */
const SERVED = /^\/(api|docs|openapi|health|ready|metrics)(\/|\.|$)/;
/** Taken in when they are first asked for: not everybody needs them. */
const PARTS = /^\/assets\/parts\//;
const AT_ONCE = 4;
/** Half a minute in all: a server starts again, a phone changes its network, machines take a new version one by one. */
const TRIES = 7;

export async function install(): Promise<void> {
  const cache = await caches.open(CURRENT);
  const waiting = [...SHELL.files];
  const work = async (): Promise<void> => {
    for (let file = waiting.pop(); file; file = waiting.pop()) await insist(cache, `/${file.path}`, file.sha256);
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } catch (error) {
    await caches.delete(CURRENT);
    throw error;
  }
}

export async function cleanUp(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CURRENT);
  await Promise.all(old.slice(0, -1).map((name) => caches.delete(name)));
}

export function isPage(url: URL): boolean {
  if (SERVED.test(url.pathname)) return false;
  return url.pathname === INDEX || !url.pathname.slice(url.pathname.lastIndexOf('/')).includes('.');
}

export const isShellFile = (url: URL): boolean => PATHS.has(url.pathname) || url.pathname.startsWith('/assets/');

/** From the device at once. What the server says of it now, its headers above all, is kept for the next time. */
export async function pageFor(event: FetchEvent): Promise<Response> {
  const cache = await caches.open(CURRENT);
  const kept = await cache.match(INDEX);
  if (!kept) return await fetch(event.request);
  event.waitUntil(refresh(cache, kept));
  return kept;
}

/** Names of files bear their hash, so an older version's is as good, and still there for a tab that runs it. */
export async function fileFor(event: FetchEvent): Promise<Response> {
  const { request } = event;
  const cache = await caches.open(CURRENT);
  const kept =
    (await cache.match(request, { ignoreVary: true })) ?? (await caches.match(request, { ignoreVary: true }));
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && PARTS.test(new URL(request.url).pathname)) event.waitUntil(cache.put(request, response.clone()));
  return response;
}

async function insist(cache: Cache, path: string, sha256: string): Promise<void> {
  for (let attempt = 0; attempt < TRIES - 1; attempt += 1) {
    try {
      return await take(cache, path, sha256, attempt > 0);
    } catch {
      await pause(backoff(attempt));
    }
  }
  await take(cache, path, sha256, true);
}

/** `anew`: whatever the browser or an older version has of it is not looked at. */
async function take(cache: Cache, path: string, sha256: string, anew: boolean): Promise<void> {
  const isKnown = path.startsWith('/assets/') && !anew;
  const old = isKnown ? await caches.match(path, { ignoreVary: true }) : undefined;
  const response = old ?? (await fetch(path, { cache: isKnown ? 'default' : 'reload' }));
  if (!response.ok) throw new Error(`${path} is not there.`);
  if ((await hashOf(response.clone())) !== sha256) throw new Error(`${path} is of another version.`);
  await cache.put(path, response);
}

async function refresh(cache: Cache, kept: Response): Promise<void> {
  try {
    const fresh = await fetch(INDEX, { cache: 'no-cache' });
    if (!fresh.ok) return;
    if (fresh.headers.get('ETag') === kept.headers.get('ETag')) await cache.put(INDEX, fresh);
    else await self.registration.update();
  } catch {
    // Away: the next start asks again.
  }
}

async function hashOf(response: Response): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
