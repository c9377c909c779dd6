/** Signing up, in and out. The refresh token stays in a cookie that no script can read. */
import { call } from './http';
import type { Config, SignedIn, SignIn, SignUp } from './types';

const COOKIE = { session: 'cookie' };

export const getConfig = async (): Promise<Config> => (await call<Config>({ method: 'GET', path: '/api/config' })).data;

export const signUp = async (body: SignUp): Promise<SignedIn> => post('/api/auth/signup', body);

export const signIn = async (body: SignIn): Promise<SignedIn> => post('/api/auth/signin', body);

export const refresh = async (): Promise<SignedIn> => post('/api/auth/refresh', {});

export const signOut = async (token: string | null): Promise<void> => {
  await call({ method: 'POST', path: '/api/auth/signout', token, body: {} });
};

export const signOutEverywhere = async (token: string | null): Promise<void> => {
  await call({ method: 'POST', path: '/api/auth/signout-all', token, body: {} });
};

const post = async (path: string, body: unknown): Promise<SignedIn> =>
  (await call<SignedIn>({ method: 'POST', path, query: COOKIE, body })).data;
