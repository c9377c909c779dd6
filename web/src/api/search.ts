/** The routes of the search, and what they answer. Fetched with the page that searches. */
import type { Client } from './client';
import type { FoundAll, FoundMessage, FoundMessages, Suggestion } from './generated';
import type { Id } from './types';

export type { FoundFile, Part, Suggestion } from './generated';
export type Hit = FoundMessage;
export type Found = FoundMessages;

/** RFC 3339; `after` inclusive, `before` exclusive. */
export interface Filters {
  workspace_id?: Id;
  chat_id?: Id;
  sender_id?: Id;
  after?: string;
  before?: string;
  has?: 'file';
  mentions?: 'me';
}

export const SEARCH_PAGE = 25;

export const searching = (client: Client) => ({
  messages: (q: string, filters: Filters, offset: number, limit = SEARCH_PAGE) =>
    client.get<Found>('/api/search/messages', { q, ...filters, limit, offset }),
  inChat: (chat: Id, q: string, filters: Filters, offset: number, limit = SEARCH_PAGE) =>
    client.get<Found>(`/api/chats/${chat}/messages/search`, { q, ...filters, limit, offset }),
  names: (q: string, workspace: Id, limit: number) =>
    client.get<FoundAll>('/api/search', { q, workspace_id: workspace, limit }),
  suggestions: (q: string, workspace: Id) =>
    client.get<Suggestion[]>('/api/search/suggestions', { q, workspace_id: workspace }),
});

export type SearchApi = ReturnType<typeof searching>;
