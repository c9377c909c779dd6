import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { forgetPictures, pictureFor } from '../../src/worker/pictures';

const ADDRESS = 'https://chat.example/api/files/1';

describe('pictures on the device', () => {
  let stored: Map<string, Map<string, Response>>;
  let answer: (response: Response) => void;
  let kept: Promise<unknown>[];

  beforeEach(() => {
    stored = new Map();
    kept = [];
    vi.stubGlobal('caches', {
      open: (name: string) => {
        const files = stored.get(name) ?? new Map<string, Response>();
        stored.set(name, files);
        return Promise.resolve({
          keys: () => Promise.resolve([...files.keys()]),
          delete: (url: string) => Promise.resolve(files.delete(url)),
          put: (url: string, response: Response) => Promise.resolve(void files.set(url, response)),
        });
      },
      delete: (name: string) => Promise.resolve(stored.delete(name)),
    });
    vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => (answer = resolve)));
  });

  afterEach(() => vi.unstubAllGlobals());

  const look = (): Promise<Response> =>
    pictureFor({
      request: new Request(ADDRESS),
      waitUntil: (work: Promise<unknown>) => kept.push(work),
    } as unknown as FetchEvent);

  const arrive = async (shown: Promise<Response>): Promise<void> => {
    answer(new Response('x', { headers: { 'Content-Length': '1' } }));
    await shown;
    await Promise.all(kept);
  };

  const onDevice = (): string[] => [...stored.values()].flatMap((files) => [...files.keys()]);

  it('are kept for when the network is away', async () => {
    await arrive(look());
    expect(onDevice()).toEqual([ADDRESS]);
  });

  it('do not come back when one arrives after its owner has signed out', async () => {
    const shown = look();
    await forgetPictures();
    await arrive(shown);
    expect(onDevice()).toEqual([]);
  });
});
