/**
 * One HTTP request to the API, and the two ways it can fail.
 *
 * call            send JSON, get JSON; ApiError for an answer that is no 2xx, NetworkError for none at all
 * ApiError        what the server said (problem+json); isRefusal: it would say the same again; goneAsNull for those
 *                 who ask whether something is there
 * NetworkError    no answer: offline, refused, timed out
 */
import type { Problem } from './types';

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** A list gives its name once for each value. */
  query?: Record<string, string | number | readonly number[] | undefined>;
  body?: unknown;
  token?: string | null;
  signal?: AbortSignal;
}

/** `next`: the path of the following page of a list, or null at its end. */
export interface Answer<T> {
  data: T;
  status: number;
  next: string | null;
}

const TIMEOUT_MS = 20_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly fields: { field: string; message: string }[] = [],
    readonly retryAfterMs: number | null = null,
  ) {
    super(detail);
    this.name = 'ApiError';
  }
}

export class NetworkError extends Error {
  override name = 'NetworkError';
}

/** The server understood and will not have it; trying the same again cannot help. */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status < 500 && error.status !== 429;
}

/** What is not there, or not for us, is null; any other error goes on. */
export function goneAsNull(error: unknown): null {
  if (error instanceof ApiError && (error.status === 404 || error.status === 403)) return null;
  throw error;
}

export async function call<T>(request: Call): Promise<Answer<T>> {
  const response = await send(request);
  if (!response.ok) throw await problemOf(response);
  const data: unknown = response.status === 204 ? null : await readJson(response);
  return { data: data as T, status: response.status, next: nextOf(response.headers.get('Link')) };
}

async function send({ method, path, query, body, token, signal }: Call): Promise<Response> {
  const headers = new Headers({ Accept: 'application/json' });
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  if (token) headers.set('Authorization', `Bearer ${token}`);
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(withQuery(path, query), {
      method,
      headers,
      credentials: 'same-origin',
      // What one takes away stays away, also when the page closes at that moment.
      keepalive: method === 'DELETE',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new NetworkError('The server could not be reached.', { cause });
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new NetworkError('The answer broke off.', { cause });
  }
}

function withQuery(path: string, query: Call['query']): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly number[]) : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

async function problemOf(response: Response): Promise<ApiError> {
  const problem = await response.json().then(
    (body: unknown) => (typeof body === 'object' && body !== null ? (body as Partial<Problem>) : {}),
    (): Partial<Problem> => ({}),
  );
  const detail = problem.detail ?? problem.title ?? response.statusText;
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : null;
  return new ApiError(response.status, problem.code ?? 'internal', detail, problem.errors ?? [], wait);
}

/** The target of `rel="next"` in a Link header, as a path of this origin. */
export function nextOf(link: string | null): string | null {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined) return null;
  const url = new URL(target, 'http://page.invalid');
  return url.pathname + url.search;
}
