/**
 * Requests that the worker makes in the name of who is signed in, while no page may be open. It holds no token: it
 * takes a new one from the session's cookie, under the lock that pages take turns by, and forgets it.
 *
 * post             true once the server has taken it
 */
const LOCK = 'fechatter-session';

export async function post(path: string, body: unknown): Promise<boolean> {
  try {
    const token = await navigator.locks.request(LOCK, refresh);
    return token !== null && (await send(path, body, token)).ok;
  } catch {
    return false;
  }
}

async function refresh(): Promise<string | null> {
  const response = await send('/api/auth/refresh?session=cookie', {}, null);
  if (!response.ok) return null;
  const answer = (await response.json()) as { token?: string };
  return answer.token ?? null;
}

function send(path: string, body: unknown, token: string | null): Promise<Response> {
  return fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token === null ? {} : { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
    credentials: 'same-origin',
  });
}
