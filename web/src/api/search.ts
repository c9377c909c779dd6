/** The routes of the search, and what they answer. Fetched with the page that searches. */
import type { Client } from './client';
import type { Chat, ChatType, FileInfo, Id, Message, User } from './types';

export interface Part {
  text: string;
  match: boolean;
}

export interface Hit {
  message: Message;
  chat: { id: Id; name: string; type: ChatType };
  highlights: { field: string; parts: Part[] }[];
}

/** `degraded`: the fallback answered; good, but perhaps not the best order. */
export interface Found {
  hits: Hit[];
  total: number;
  took_ms: number;
  backend: string;
  degraded: boolean;
}

/** A file by its name, with the message that carries it. */
export interface FoundFile extends FileInfo {
  message_id: Id;
  chat: Hit['chat'];
}

/** What is called so, beside the messages. `chats`: those one is in, then those one may join. */
export interface FoundNames {
  files: FoundFile[];
  people: User[];
  chats: Chat[];
}

export interface Suggestion {
  kind: 'person' | 'chat' | 'file';
  text: string;
  id: Id;
}

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
    client.get<FoundNames>('/api/search', { q, workspace_id: workspace, limit }),
  suggestions: (q: string, workspace: Id) =>
    client.get<Suggestion[]>('/api/search/suggestions', { q, workspace_id: workspace }),
});

export type SearchApi = ReturnType<typeof searching>;
