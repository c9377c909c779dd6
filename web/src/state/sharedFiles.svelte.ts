/**
 * The files of one chat, newest first, a page at a time.
 *
 * SharedFiles      list, more; follow: what is posted or deleted while somebody looks
 */
import type { Client } from '../api/client';
import { FILES_PAGE, places, type PlacesApi } from '../api/places';
import type { Id, Message, SharedFile } from '../api/types';
import type { ServerEvent } from '../realtime/events';
import { fresh } from './fresh';
import type { Replica } from './replica.svelte';

export class SharedFiles {
  list = $state.raw<readonly SharedFile[] | null>(null);
  isComplete = $state(false);
  private readonly api: Pick<PlacesApi, 'files'>;

  constructor(
    client: Client,
    private readonly replica: Pick<Replica, 'onEvent'>,
    private readonly chatId: Id,
  ) {
    this.api = places(client);
  }

  async more(): Promise<void> {
    const page = await fresh(
      this.replica,
      (event) => this.bears(event),
      () => this.api.files(this.chatId, this.list?.length ?? 0),
    );
    const known = this.list ?? [];
    const keys = new Set(known.map(keyOf));
    this.list = [...known, ...page.filter((one) => !keys.has(keyOf(one)))];
    this.isComplete = page.length < FILES_PAGE;
  }

  follow(): () => void {
    return this.replica.onEvent((event) => this.hear(event));
  }

  private bears(event: ServerEvent): boolean {
    if (event.chat_id !== this.chatId) return false;
    return event.type === 'message.deleted' || (event.type === 'message.created' && event.payload.files.length > 0);
  }

  private hear(event: ServerEvent): void {
    if (!this.list || event.chat_id !== this.chatId) return;
    if (event.type === 'message.created') this.put(event.payload);
    if (event.type === 'message.deleted') {
      const gone = event.payload.id;
      this.list = this.list.filter((one) => one.message_id !== gone);
    }
  }

  private put({ id, sender_id, created_at, files }: Message): void {
    const known = new Set(this.list?.map(keyOf));
    const fresh = files
      .map((file): SharedFile => ({ file, message_id: id, sender_id, sent_at: created_at }))
      .filter((one) => !known.has(keyOf(one)));
    this.list = [...fresh, ...(this.list ?? [])];
  }
}

/** One file may be shared by several messages. */
export const keyOf = ({ file, message_id }: SharedFile): string => `${message_id}-${file.id}`;
