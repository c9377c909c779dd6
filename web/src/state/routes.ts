/**
 * The addresses of the page: which place a path means, and the path of a place.
 *
 * placeOf, pathOf        one way and the other
 * chatPath               a chat, a message in it, or its details
 * searchPath             a search; what is left out of it is not asked for
 * settingsPath           a page of the settings; those of a workspace name it
 */
import type { Id } from '../api/types';

export const DETAILS = ['members', 'files', 'about', 'settings'] as const;
export type DetailsTab = (typeof DETAILS)[number];

/** What one looks for. `after` is inclusive, `before` exclusive: days, as YYYY-MM-DD in the reader's time zone. */
export interface SearchTerms {
  q: string;
  chatId: Id | null;
  senderId: Id | null;
  after: string | null;
  before: string | null;
  hasFile: boolean;
  mentionsMe: boolean;
}

export type Place =
  | { at: 'home' }
  /** Where a chat is to be begun: the manifest's shortcut leads there. */
  | { at: 'new' }
  | { at: 'signin'; invite: string | null }
  | { at: 'signup' }
  | { at: 'invite'; code: string }
  | { at: 'chat'; chatId: Id; messageId: Id | null; details: DetailsTab | null }
  | { at: 'search'; terms: SearchTerms }
  | { at: 'settings'; page: string | null; workspaceId: Id | null }
  | { at: 'nowhere' };

export const NO_TERMS: SearchTerms = {
  q: '',
  chatId: null,
  senderId: null,
  after: null,
  before: null,
  hasFile: false,
  mentionsMe: false,
};

export function placeOf(url: { pathname: string; search: string }): Place {
  const [first, second, third] = url.pathname.split('/').filter(Boolean);
  if (first === undefined) return { at: 'home' };
  if (third !== undefined) return { at: 'nowhere' };
  const query = new URLSearchParams(url.search);
  if (second === undefined) return ofOneWord(first, query);
  if (first === 'invite') return { at: 'invite', code: decode(second) };
  if (first === 'settings') return { at: 'settings', page: decode(second), workspaceId: idOf(query.get('workspace')) };
  const chatId = idOf(second);
  if (first !== 'chats' || chatId === null) return { at: 'nowhere' };
  const details = DETAILS.find((tab) => tab === query.get('details')) ?? null;
  return { at: 'chat', chatId, messageId: idOf(query.get('message')), details };
}

export function pathOf(place: Place): string {
  switch (place.at) {
    case 'signin':
      return withQuery('/signin', { invite: place.invite });
    case 'signup':
    case 'new':
      return `/${place.at}`;
    case 'invite':
      return `/invite/${encodeURIComponent(place.code)}`;
    case 'chat':
      return withQuery(`/chats/${place.chatId}`, { message: place.messageId, details: place.details });
    case 'search':
      return withQuery('/search', queryOf(place.terms));
    case 'settings':
      return withQuery(place.page === null ? '/settings' : `/settings/${encodeURIComponent(place.page)}`, {
        workspace: place.workspaceId,
      });
    default:
      return '/';
  }
}

export const chatPath = (chatId: Id, messageId: Id | null = null, details: DetailsTab | null = null): string =>
  pathOf({ at: 'chat', chatId, messageId, details });

export const searchPath = (terms: Partial<SearchTerms>): string =>
  pathOf({ at: 'search', terms: { ...NO_TERMS, ...terms } });

export const settingsPath = (page: string | null = null, workspaceId: Id | null = null): string =>
  pathOf({ at: 'settings', page, workspaceId });

function ofOneWord(word: string, query: URLSearchParams): Place {
  switch (word) {
    case 'signin':
      return { at: word, invite: query.get('invite') };
    case 'signup':
    case 'new':
      return { at: word };
    case 'search':
      return { at: word, terms: termsOf(query) };
    case 'settings':
      return { at: word, page: null, workspaceId: idOf(query.get('workspace')) };
    default:
      return { at: 'nowhere' };
  }
}

function termsOf(query: URLSearchParams): SearchTerms {
  return {
    q: query.get('q') ?? '',
    chatId: idOf(query.get('chat_id')),
    senderId: idOf(query.get('sender_id')),
    after: dayOf(query.get('after')),
    before: dayOf(query.get('before')),
    hasFile: query.get('has') === 'file',
    mentionsMe: query.get('mentions') === 'me',
  };
}

function queryOf(terms: SearchTerms): Record<string, string | Id | null> {
  return {
    q: terms.q || null,
    chat_id: terms.chatId,
    sender_id: terms.senderId,
    after: terms.after,
    before: terms.before,
    has: terms.hasFile ? 'file' : null,
    mentions: terms.mentionsMe ? 'me' : null,
  };
}

function withQuery(path: string, query: Record<string, string | Id | null>): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]]));
  const text = new URLSearchParams(given).toString();
  return text ? `${path}?${text}` : path;
}

function idOf(text: string | null | undefined): Id | null {
  return text && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
}

function dayOf(text: string | null): string | null {
  return text && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
