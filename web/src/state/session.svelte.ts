/**
 * Who is signed in. The access token lives in memory only; the refresh token in a cookie that no script can read.
 *
 * Session          restore, assume, signIn, signUp, signOut, signOutEverywhere; update (who one is)
 *                  token and renew for those who make requests
 *
 * Two tabs share the cookie: a lock lets them renew one after the other, and a channel tells of a sign-out and passes
 * a new token on, so that one renewal serves all.
 */
import * as auth from '../api/auth';
import type { Credentials } from '../api/client';
import { ApiError } from '../api/http';
import type { Id, SignedIn, SignUp, User } from '../api/types';
import { wipe } from './keeper';

export type SessionStatus = 'restoring' | 'signed-out' | 'signed-in' | 'unreachable';

/** Renew this long before the token runs out. */
const EARLY_MS = 60_000;
const LOCK = 'fechatter-session';

export class Session implements Credentials {
  status = $state<SessionStatus>('restoring');
  /** The server let this person in no more, while they were here: who signs in again should know why they have to. */
  wasEnded = $state(false);
  user = $state.raw<User | null>(null);
  /** The workspace the server names at sign-in: the last one used. */
  workspaceId = $state<Id | null>(null);
  private access: { token: string; until: number } | null = null;
  private renewing: Promise<string | null> | null = null;
  private readonly tabs = new BroadcastChannel(LOCK);

  constructor() {
    this.tabs.onmessage = ({ data }: MessageEvent<SignedIn | 'signed-out'>) => {
      if (data === 'signed-out') this.end();
      else if (data.user.id === this.user?.id) this.take(data);
    };
  }

  /** Take up the session of the cookie, if there is one: scripts cannot see it, so only the server can tell. */
  async restore(): Promise<void> {
    if (this.user === null) this.status = 'restoring';
    try {
      if ((await this.renew(null)) === null) this.end();
    } catch {
      if (this.user === null) this.status = 'unreachable';
    }
  }

  /** Show what was kept of this person, until the server says otherwise. False if it has said so already. */
  assume(user: User, workspaceId: Id | null): boolean {
    if (this.status === 'signed-in') return this.user?.id === user.id;
    if (this.status === 'signed-out') return false;
    this.user = user;
    this.workspaceId = workspaceId;
    this.status = 'signed-in';
    return true;
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

  /** Here and on every other device. */
  async signOutEverywhere(): Promise<void> {
    await auth.signOutEverywhere(await this.token());
    this.tabs.postMessage('signed-out');
    this.end();
  }

  /** What is known of oneself has changed, here or on another device. */
  update(user: User): void {
    if (this.user?.id === user.id) this.user = user;
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
      const spent = this.access;
      const signedIn = await locked(async () => (this.access === spent ? await auth.refresh() : null));
      if (signedIn) this.begin(signedIn);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 429 || error.status >= 500) throw error;
      this.wasEnded ||= this.status === 'signed-in';
      this.end();
    }
    return this.access?.token ?? null;
  }

  private begin(signedIn: SignedIn): void {
    if (this.user && this.user.id !== signedIn.user.id) return this.makeWay();
    this.take(signedIn);
    this.tabs.postMessage(signedIn);
  }

  private take(signedIn: SignedIn): void {
    const lifetime = signedIn.expires_in * 1000;
    this.access = { token: signedIn.token, until: Date.now() + Math.max(lifetime - EARLY_MS, lifetime / 2) };
    this.user = signedIn.user;
    this.workspaceId ??= signedIn.workspace?.id ?? null;
    this.status = 'signed-in';
    this.wasEnded = false;
  }

  /** The cookie is somebody else's by now. Nothing of who was here stays: the page that comes would show it again. */
  private makeWay(): void {
    this.end();
    void wipe().finally(() => location.reload());
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
