import { afterEach, describe, expect, it, vi } from 'vitest';
import { Client, type Credentials } from '../../src/api/client';
import { ApiError, NetworkError, call, nextOf } from '../../src/api/http';

const json = (body: unknown, init: ResponseInit = {}): Response => new Response(JSON.stringify(body), init);
const spent = (): Response => json({ code: 'token_expired', detail: 'The token has expired.' }, { status: 401 });

afterEach(() => vi.unstubAllGlobals());

/** Answers in turn; what was asked is kept. */
function server(...answers: (Response | Error)[]) {
  const asked: { url: string; token: string | null }[] = [];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked.push({ url, token: new Headers(init.headers).get('Authorization') });
    const answer = answers.shift();
    return answer instanceof Response ? Promise.resolve(answer) : Promise.reject(answer ?? new Error('nothing more'));
  });
  return asked;
}

const credentials = (fresh: string | null): Credentials => ({
  token: () => Promise.resolve('old'),
  renew: () => Promise.resolve(fresh),
});

describe('a request', () => {
  it('that is refused says what the server said', async () => {
    const errors = [{ field: 'name', message: 'is too long' }];
    server(json({ code: 'invalid_request', detail: 'No.', errors }, { status: 400, headers: { 'Retry-After': '3' } }));
    await expect(call({ method: 'GET', path: '/x' })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_request',
      detail: 'No.',
      fields: errors,
      retryAfterMs: 3000,
    });
  });

  it('refused with a page instead of a problem is still an error with a status', async () => {
    server(new Response('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' }));
    await expect(call({ method: 'GET', path: '/x' })).rejects.toMatchObject({ status: 502, detail: 'Bad Gateway' });
  });

  it('without an answer is a NetworkError, and so is one that breaks off', async () => {
    server(new TypeError('refused'), new Response('{"half":', { status: 200 }));
    await expect(call({ method: 'GET', path: '/x' })).rejects.toBeInstanceOf(NetworkError);
    await expect(call({ method: 'GET', path: '/x' })).rejects.toBeInstanceOf(NetworkError);
  });

  it('with a spent token goes once more with a fresh one', async () => {
    const asked = server(spent(), json({ id: 1 }));
    await expect(new Client(credentials('new')).get('/x')).resolves.toEqual({ id: 1 });
    expect(asked.map((one) => one.token)).toEqual(['Bearer old', 'Bearer new']);
  });

  it('goes no third time', async () => {
    const asked = server(spent(), spent());
    await expect(new Client(credentials('new')).get('/x')).rejects.toBeInstanceOf(ApiError);
    expect(asked).toHaveLength(2);
  });

  it('of a session that has ended fails as it is', async () => {
    const asked = server(spent());
    await expect(new Client(credentials(null)).get('/x')).rejects.toMatchObject({ status: 401 });
    expect(asked).toHaveLength(1);
  });

  it('for a whole list follows the links', async () => {
    const link = { headers: { Link: '<http://127.0.0.1/x?limit=2&after=2>; rel="next"' } };
    const asked = server(json([1, 2], link), json([3]));
    await expect(new Client(credentials(null)).all('/x', { limit: 2 })).resolves.toEqual([1, 2, 3]);
    expect(asked.map((one) => one.url)).toEqual(['/x?limit=2', '/x?limit=2&after=2']);
  });
});

describe('the next page', () => {
  it.each([
    [null, null],
    ['</a?b=1>; rel="next"', '/a?b=1'],
    ['<https://host.example/a?b=1>; rel=next', '/a?b=1'],
    ['</p>; rel="prev", </n>; rel="next"', '/n'],
    ['</p>; rel="prev"', null],
  ])('of %j is %j', (link, expected) => {
    expect(nextOf(link)).toBe(expected);
  });
});
