/**
 * One search: what was found of each kind, page by page.
 *
 * Search           ask (terms), more; hits, total, files, people, channels (also those one may join), degraded; suggest while one types
 */
import {
  searching,
  type Filters,
  type Found,
  type FoundFile,
  type Hit,
  type SearchApi,
  type Suggestion,
} from '../api/search';
import type { Chat, Id, User } from '../api/types';
import type { App } from './app.svelte';
import { sentenceOf } from './problems';
import { NO_TERMS, type SearchTerms } from './routes';

export type SearchState = 'idle' | 'loading' | 'failed' | 'done';

const FEW = 6;
/** Beyond this the server finds nothing more. */
const MOST = 1000;
const LONGEST = 1024;

export class Search {
  state = $state<SearchState>('idle');
  problem = $state<string | null>(null);
  hits = $state.raw<readonly Hit[]>([]);
  files = $state.raw<readonly FoundFile[]>([]);
  people = $state.raw<readonly User[]>([]);
  channels = $state.raw<readonly Chat[]>([]);
  total = $state(0);
  degraded = $state(false);
  isComplete = $state(false);
  isLoadingMore = $state(false);
  private readonly api: SearchApi;
  private terms: SearchTerms = NO_TERMS;
  private workspaceId: Id | null = null;
  /** How many hits the server has given, also those that were shown before. */
  private seen = 0;
  /** Grows with each question: the answer to an earlier one is not shown. */
  private era = 0;

  constructor(private readonly app: Pick<App, 'client' | 'people'>) {
    this.api = searching(app.client);
  }

  /** Forget what was found before and look anew. */
  async ask(terms: SearchTerms, workspaceId: Id): Promise<void> {
    const era = (this.era += 1);
    this.terms = terms;
    this.workspaceId = workspaceId;
    this.clear();
    if (queryOf(terms) === '') return;
    this.state = 'loading';
    try {
      const [found] = await Promise.all([
        this.find(0),
        isNarrowed(terms) ? Promise.resolve() : this.findNames(era, workspaceId),
      ]);
      if (era !== this.era) return;
      this.take(found);
      this.state = 'done';
    } catch (error) {
      if (era !== this.era) return;
      this.problem = sentenceOf(error);
      this.state = 'failed';
    }
  }

  async more(): Promise<void> {
    if (this.isComplete || this.isLoadingMore) return;
    const era = this.era;
    this.isLoadingMore = true;
    this.problem = null;
    try {
      const found = await this.find(this.seen);
      if (era === this.era) this.take(found);
    } catch (error) {
      if (era === this.era) this.problem = sentenceOf(error);
    } finally {
      this.isLoadingMore = false;
    }
  }

  /** What the beginning of a query may become; none where none can be had. */
  async suggest(q: string, workspaceId: Id): Promise<readonly Suggestion[]> {
    if (q.trim() === '') return [];
    return await this.api.suggestions(q.trim().slice(0, LONGEST), workspaceId).catch(() => []);
  }

  private clear(): void {
    this.state = 'idle';
    this.problem = null;
    this.hits = this.files = this.people = this.channels = [];
    this.total = this.seen = 0;
    this.isComplete = this.degraded = this.isLoadingMore = false;
  }

  private find(offset: number): Promise<Found> {
    const q = queryOf(this.terms);
    const { chatId } = this.terms;
    if (chatId !== null) return this.api.inChat(chatId, q, this.filters(), offset);
    const place = this.workspaceId === null ? {} : { workspace_id: this.workspaceId };
    return this.api.messages(q, { ...this.filters(), ...place }, offset);
  }

  private filters(): Filters {
    const { senderId, after, before, hasFile, mentionsMe } = this.terms;
    return {
      ...(senderId === null ? {} : { sender_id: senderId }),
      ...(after === null ? {} : { after: startOf(after) }),
      ...(before === null ? {} : { before: startOf(before) }),
      ...(hasFile ? { has: 'file' as const } : {}),
      ...(mentionsMe ? { mentions: 'me' as const } : {}),
    };
  }

  private take({ hits, total, degraded }: Found): void {
    const known = new Set(this.hits.map((hit) => hit.message.id));
    this.hits = [...this.hits, ...hits.filter((hit) => !known.has(hit.message.id))];
    this.seen += hits.length;
    this.total = total;
    this.degraded = degraded;
    this.isComplete = hits.length === 0 || this.seen >= Math.min(total, MOST);
    for (const { message } of hits) this.app.people.want(message.sender_id);
  }

  /** What is called so: without it the search is still good. */
  private async findNames(era: number, workspaceId: Id): Promise<void> {
    const found = await this.api.names(queryOf(this.terms), workspaceId, FEW).catch(() => null);
    if (found === null || era !== this.era) return;
    this.people = found.people;
    this.channels = found.chats.filter((chat) => chat.type !== 'Single');
    this.files = found.files;
    this.app.people.put(found.people);
  }
}

const queryOf = (terms: SearchTerms): string => [...terms.q.trim()].slice(0, LONGEST).join('');

/** Filters are about messages: with one, people and channels are not what is looked for. */
export const isNarrowed = (terms: SearchTerms): boolean =>
  Object.entries(terms).some(([name, value]) => name !== 'q' && value !== null && value !== false);

/** The first moment of a day here. */
function startOf(day: string): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date).toISOString();
}
