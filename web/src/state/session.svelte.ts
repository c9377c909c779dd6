/**
 * Who is signed in. The access token lives in memory only; the refresh token in a cookie that no script can read.
 *
 * Session          restore, signIn, signUp, signOut; token and renew for those who make requests
 *
 * Two tabs share the cookie: a lock lets them renew one after the other, and a channel tells of a sign-out.
 */
import * as auth from '../api/auth';
import type { Credentials } from '../api/client';
import { ApiError } from '../api/http';
import type { Id, SignedIn, SignUp, User } from '../api/types';

export type SessionStatus = 'restoring' | 'signed-out' | 'signed-in' | 'unreachable';

/** Renew this long before the token runs out. */
const EARLY_MS = 60_000;
const LOCK = 'fechatter-session';

export class Session implements Credentials {
  status = $state<SessionStatus>('restoring');
  user = $state.raw<User | null>(null);
  /** The workspace the server names at sign-in: the last one used. */
  workspaceId = $state<Id | null>(null);
  private access: { token: string; until: number } | null = null;
  private renewing: Promise<string | null> | null = null;
  private readonly tabs = new BroadcastChannel(LOCK);

  constructor() {
    this.tabs.onmessage = () => {
      this.end();
    };
  }

  /** Take up the session of the cookie, if there is one: scripts cannot see it, so only the server can tell. */
  async restore(): Promise<void> {
    this.status = 'restoring';
    try {
      if ((await this.renew(null)) === null) this.end();
    } catch {
      this.status = 'unreachable';
    }
  }

  async signIn(email: string, password: string): Promise<void> {
    this.begin(await auth.signIn({ email, password }));
  }

  async signUp(form: SignUp): Promise<void> {
    this.begin(await auth.signUp(form));
  }

  async signOut(): Promise<void> {
    await auth.signOut(await this.token());
    this.tabs.postMessage('signed-out');
    this.end();
  }

  async token(): Promise<string | null> {
    if (this.access && Date.now() < this.access.until) return this.access.token;
    return this.status === 'signed-in' ? await this.renew(this.access?.token ?? null) : null;
  }

  async renew(spent: string | null): Promise<string | null> {
    if (this.access && this.access.token !== spent) return this.access.token;
    this.renewing ??= this.refresh().finally(() => {
      this.renewing = null;
    });
    return await this.renewing;
  }

  private async refresh(): Promise<string | null> {
    try {
      this.begin(await locked(auth.refresh));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 429 || error.status >= 500) throw error;
      this.end();
    }
    return this.access?.token ?? null;
  }

  private begin(signedIn: SignedIn): void {
    if (this.user && this.user.id !== signedIn.user.id) return location.reload();
    const lifetime = signedIn.expires_in * 1000;
    this.access = { token: signedIn.token, until: Date.now() + Math.max(lifetime - EARLY_MS, lifetime / 2) };
    this.user = signedIn.user;
    this.workspaceId ??= signedIn.workspace?.id ?? null;
    this.status = 'signed-in';
  }

  private end(): void {
    this.access = null;
    this.user = null;
    this.workspaceId = null;
    this.status = 'signed-out';
  }
}

async function locked<T>(work: () => Promise<T>): Promise<T> {
  if (!('locks' in navigator)) return await work();
  return await navigator.locks.request(LOCK, work);
}
