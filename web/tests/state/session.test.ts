import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { wipe } from '../../src/state/keeper';
import { Session } from '../../src/state/session.svelte';

vi.mock('../../src/state/keeper', () => ({ wipe: vi.fn(() => Promise.resolve()) }));

const signedIn = (token: string, userId = 1): object => ({
  token,
  token_type: 'Bearer',
  expires_in: 1800,
  user: { id: userId, fullname: 'Ada' },
  workspace: { id: 7 },
});

type Reply = () => Promise<Response>;
const ok = (body: object) => () => Promise.resolve(new Response(JSON.stringify(body)));
const refused = (status: number) => () => Promise.resolve(new Response('{}', { status }));

/** A server that answers in turn, and what it was asked. */
function server(...replies: Reply[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    return (replies.shift() ?? refused(500))();
  });
  return asked;
}

const open: { tabs: { close(): void }[] } = { tabs: [] };

beforeEach(() => {
  vi.stubGlobal('navigator', {});
  const Channel = BroadcastChannel;
  vi.stubGlobal(
    'BroadcastChannel',
    class extends Channel {
      constructor(name: string) {
        super(name);
        open.tabs.push(this);
      }
    },
  );
});

afterEach(() => {
  open.tabs.splice(0).forEach((tab) => tab.close());
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a session', () => {
  it('is taken up from the cookie, and asks for the refresh token to stay there', async () => {
    const asked = server(ok(signedIn('t1')));
    const session = new Session();
    await session.restore();
    expect(asked).toEqual(['/api/auth/refresh?session=cookie']);
    expect([session.status, session.workspaceId, await session.token()]).toEqual(['signed-in', 7, 't1']);
  });

  it('without a cookie is signed out; without a server it is unknown, not ended', async () => {
    server(refused(401), refused(503));
    const session = new Session();
    await session.restore();
    expect(session.status).toBe('signed-out');
    await session.restore();
    expect(session.status).toBe('unreachable');
  });

  it('renews once for all who find the token spent at the same time', async () => {
    const asked = server(ok(signedIn('t1')), ok(signedIn('t2')));
    const session = new Session();
    await session.restore();
    const tokens = await Promise.all([session.renew('t1'), session.renew('t1'), session.renew('t1')]);
    expect(tokens).toEqual(['t2', 't2', 't2']);
    expect(asked).toHaveLength(2);
    expect(await session.renew('t1')).toBe('t2');
    expect(asked).toHaveLength(2);
  });

  it('renews before the token runs out', async () => {
    vi.useFakeTimers();
    server(ok(signedIn('t1')), ok(signedIn('t2')));
    const session = new Session();
    await session.restore();
    vi.advanceTimersByTime(1700 * 1000);
    expect(await session.token()).toBe('t1');
    vi.advanceTimersByTime(60 * 1000);
    expect(await session.token()).toBe('t2');
  });

  it('ends when the server says so, and not when it does not answer', async () => {
    server(ok(signedIn('t1')), refused(503), refused(401));
    const session = new Session();
    await session.restore();
    await expect(session.renew('t1')).rejects.toThrow();
    expect(session.status).toBe('signed-in');
    expect(await session.renew('t1')).toBeNull();
    expect([session.status, session.user, session.wasEnded]).toEqual(['signed-out', null, true]);
  });

  it('has not been ended by the server when nobody was in, or when one signs out', async () => {
    server(refused(401), ok(signedIn('t1')), ok({}));
    const session = new Session();
    await session.restore();
    expect(session.wasEnded).toBe(false);
    await session.signIn('ada@example.org', 'correct horse');
    await session.signOut();
    expect([session.status, session.wasEnded]).toEqual(['signed-out', false]);
  });

  it('makes way for somebody else: nothing kept of who was here is shown by the page that is loaded then', async () => {
    const reload = vi.fn();
    vi.stubGlobal('location', { reload });
    server(ok(signedIn('t1', 1)), ok(signedIn('t2', 2)));
    const session = new Session();
    await session.restore();
    await session.renew('t1');
    expect([session.status, session.user]).toEqual(['signed-out', null]);
    await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
    expect(wipe).toHaveBeenCalledBefore(reload);
  });
});
