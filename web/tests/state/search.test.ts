import { describe, expect, it } from 'vitest';
import type { Client } from '../../src/api/client';
import { ApiError } from '../../src/api/http';
import type { Found, Hit } from '../../src/api/search';
import { i18n } from '../../src/i18n/i18n.svelte';
import { NO_TERMS, type SearchTerms } from '../../src/state/routes';
import { isNarrowed, Search } from '../../src/state/search.svelte';
import { message } from '../things';

type Answer = (path: string, query: Record<string, unknown>) => Promise<unknown>;

const hits = (from: number, count: number): Hit[] =>
  Array.from({ length: count }, (_, index) => ({
    message: message(from + index),
    chat: { id: 1, name: 'harbour', type: 'PublicChannel' },
    highlights: [],
  }));
const page = (from: number, count: number, total: number, degraded = false): Found => ({
  hits: hits(from, count),
  total,
  took_ms: 1,
  backend: 'builtin',
  degraded,
});

function searchWith(answer: Answer): Search {
  const names = { files: [], people: [], chats: [] };
  const get: Answer = (path, query) => (path === '/api/search' ? Promise.resolve(names) : answer(path, query));
  const client = { get } as unknown as Client;
  const people = { put: () => undefined, want: () => undefined };
  return new Search({ client, people } as unknown as ConstructorParameters<typeof Search>[0]);
}

const terms = (q: string, more: Partial<SearchTerms> = {}): SearchTerms => ({ ...NO_TERMS, q, ...more });

describe('a search', () => {
  it('asks for page after page until all is there', async () => {
    const offsets: unknown[] = [];
    const search = searchWith((_, query) => {
      offsets.push(query['offset']);
      return Promise.resolve(query['offset'] === 0 ? page(1, 25, 30) : page(26, 5, 30));
    });
    await search.ask(terms('harbour'), 1);
    expect([search.hits.length, search.isComplete]).toEqual([25, false]);
    await search.more();
    expect([search.hits.length, search.isComplete]).toEqual([30, true]);
    await search.more();
    expect(offsets).toEqual([0, 25]);
  });

  it('ends when the server has nothing more, whatever the total says', async () => {
    const search = searchWith((_, query) =>
      Promise.resolve(query['offset'] === 0 ? page(1, 25, 900) : page(0, 0, 900)),
    );
    await search.ask(terms('harbour'), 1);
    await search.more();
    expect(search.isComplete).toBe(true);
  });

  it('shows a message once that moved to the next page meanwhile', async () => {
    const search = searchWith((_, query) =>
      Promise.resolve(query['offset'] === 0 ? page(1, 25, 50) : page(25, 25, 50)),
    );
    await search.ask(terms('harbour'), 1);
    await search.more();
    expect(search.hits.map((hit) => hit.message.id)).toEqual([...new Set(search.hits.map((hit) => hit.message.id))]);
    expect(search.hits).toHaveLength(49);
  });

  it('drops the answer to a question that is no longer asked', async () => {
    const waiting: ((found: Found) => void)[] = [];
    const search = searchWith((_, query) =>
      query['q'] === 'old' ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(page(7, 1, 1)),
    );
    const old = search.ask(terms('old', { hasFile: true }), 1);
    await search.ask(terms('new', { hasFile: true }), 1);
    waiting.forEach((resolve) => resolve(page(1, 3, 3)));
    await old;
    expect(search.hits.map((hit) => hit.message.id)).toEqual([1007]);
  });

  it('asks nothing without words', async () => {
    const search = searchWith(() => Promise.reject(new Error('was asked')));
    await search.ask(terms('  '), 1);
    expect(search.state).toBe('idle');
  });

  it('goes to the chat that it is narrowed to, with days as moments here', async () => {
    const asked: [string, Record<string, unknown>][] = [];
    const search = searchWith((path, query) => (asked.push([path, query]), Promise.resolve(page(1, 1, 1, true))));
    await search.ask(terms('x', { chatId: 4, after: '2026-01-02', hasFile: true, mentionsMe: true }), 1);
    const [first] = asked;
    expect(first?.[0]).toBe('/api/chats/4/messages/search');
    expect(first?.[1]).toMatchObject({ after: new Date(2026, 0, 2).toISOString(), has: 'file', mentions: 'me' });
    expect(first?.[1]).not.toHaveProperty('workspace_id');
    expect(search.degraded).toBe(true);
  });

  it('says what went wrong, and may be tried again', async () => {
    Object.assign(globalThis, { document: { documentElement: {} } });
    await i18n.use('en');
    let isAway = true;
    const search = searchWith(() =>
      isAway ? Promise.reject(new ApiError(503, 'unavailable', 'away')) : Promise.resolve(page(1, 1, 1)),
    );
    await search.ask(terms('x'), 1);
    expect([search.state, search.problem !== null]).toEqual(['failed', true]);
    isAway = false;
    await search.ask(terms('x'), 1);
    expect([search.state, search.problem]).toEqual(['done', null]);
  });
});

describe('a narrowed search', () => {
  it('has a filter beside its words', () => {
    expect(isNarrowed(terms('words'))).toBe(false);
    expect(isNarrowed(terms('', { senderId: 3 }))).toBe(true);
    expect(isNarrowed(terms('', { mentionsMe: true }))).toBe(true);
  });
});
