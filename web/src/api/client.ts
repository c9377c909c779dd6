/**
 * Requests of a signed-in person: the access token goes along, and is renewed once when the server calls it spent.
 *
 * Client          get, post, put, patch, del, and all(): every page of a list
 * Credentials     where tokens come from (the session)
 */
import { ApiError, call, type Answer, type Call } from './http';

export interface Credentials {
  /** The token to use now; null when nobody is signed in. */
  token(): Promise<string | null>;
  /** A token other than `spent`; null when the session has ended. */
  renew(spent: string | null): Promise<string | null>;
}

type Query = NonNullable<Call['query']>;

const PAGE = 100;

export class Client {
  constructor(private readonly credentials: Credentials) {}

  async get<T>(path: string, query: Query = {}): Promise<T> {
    return (await this.send<T>({ method: 'GET', path, query })).data;
  }

  async post<T>(path: string, body?: unknown): Promise<T> {
    return (await this.send<T>({ method: 'POST', path, body })).data;
  }

  async put<T>(path: string, body: unknown): Promise<T> {
    return (await this.send<T>({ method: 'PUT', path, body })).data;
  }

  async patch<T>(path: string, body: unknown): Promise<T> {
    return (await this.send<T>({ method: 'PATCH', path, body })).data;
  }

  async del(path: string): Promise<void> {
    await this.send({ method: 'DELETE', path });
  }

  /** Every item of a list, page by page, at most `limit` of them. */
  async all<T>(path: string, query: Query = {}, limit = 10_000): Promise<T[]> {
    let page = await this.send<T[]>({ method: 'GET', path, query: { limit: PAGE, ...query } });
    const items = [...page.data];
    while (page.next !== null && items.length < limit) {
      page = await this.send<T[]>({ method: 'GET', path: page.next });
      items.push(...page.data);
    }
    return items;
  }

  private async send<T>(request: Call): Promise<Answer<T>> {
    const token = await this.credentials.token();
    try {
      return await call<T>({ ...request, token });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      const fresh = await this.credentials.renew(token);
      if (fresh === null) throw error;
      return await call<T>({ ...request, token: fresh });
    }
  }
}
