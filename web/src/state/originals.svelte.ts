/**
 * Messages that others answer, where they are not in the stretch of history that is loaded.
 *
 * Originals        get; want (have it fetched, unless known or under way)
 */
import { ApiError } from '../api/http';
import type { Api } from '../api/routes';
import type { Id, Message } from '../api/types';
import { newer } from '../realtime/model';
import type { Replica } from './replica.svelte';

const MOST = 200;

export class Originals {
  private known = $state.raw<ReadonlyMap<Id, Message>>(new Map());
  private readonly asked = new Set<Id>();

  constructor(
    private readonly api: Pick<Api, 'messages'>,
    private readonly replica: Replica,
  ) {
    replica.onEvent((event) => {
      if (event.type === 'message.updated' || event.type === 'message.deleted') this.hear(event.payload);
    });
  }

  get(chatId: Id, id: Id): Message | undefined {
    return this.replica.windows.get(chatId)?.items.find((message) => message.id === id) ?? this.known.get(id);
  }

  want(chatId: Id, id: Id): void {
    if (this.asked.has(id) || this.get(chatId, id)) return;
    this.asked.add(id);
    void this.fetch(chatId, id);
  }

  forget(): void {
    this.asked.clear();
    this.known = new Map();
  }

  /** Without an answer it is asked for again the next time it is drawn. */
  private async fetch(chatId: Id, id: Id): Promise<void> {
    const era = this.replica.me;
    try {
      const [message] = await this.api.messages(chatId, { around_id: id }, 1);
      if (message && era === this.replica.me) this.put(message);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status >= 500 || error.status === 429) this.asked.delete(id);
    }
  }

  private hear(message: Message): void {
    const known = this.known.get(message.id);
    if (known) this.put(newer(known, message));
  }

  private put(message: Message): void {
    const known = new Map(this.known).set(message.id, message);
    for (const oldest of known.keys()) {
      if (known.size <= MOST) break;
      known.delete(oldest);
      this.asked.delete(oldest);
    }
    this.known = known;
  }
}
