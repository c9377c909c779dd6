/**
 * Pictures and faces for when the network is away: the server is asked first, always, so who has lost a file sees it no
 * longer; the last ones seen stay on the device until their owner signs out.
 *
 * isPicture, pictureFor, forgetPictures
 */
const CACHE = 'fechatter-pictures';
const MOST = 200;
const MOST_BYTES = 512 * 1024;
/** How often somebody has left: what was on its way for them is not kept. */
let departures = 0;

export const isPicture = (request: Request, url: URL): boolean =>
  request.destination === 'image' && url.pathname.startsWith('/api/files/');

export async function pictureFor(event: FetchEvent): Promise<Response> {
  const asked = departures;
  try {
    const response = await fetch(event.request);
    event.waitUntil(keep(event.request.url, response.clone(), asked));
    return response;
  } catch (error) {
    const kept = await (await caches.open(CACHE)).match(event.request.url, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

export function forgetPictures(): Promise<boolean> {
  departures += 1;
  return caches.delete(CACHE);
}

async function keep(url: string, response: Response, asked: number): Promise<void> {
  const cache = await caches.open(CACHE);
  if (asked !== departures) return;
  if ([401, 403, 404].includes(response.status)) await cache.delete(url);
  const bytes = Number(response.headers.get('Content-Length') ?? Number.NaN);
  if (response.status !== 200 || !(bytes <= MOST_BYTES)) return;
  await cache.delete(url);
  await cache.put(url, response);
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST)).map((key) => cache.delete(key)));
}
