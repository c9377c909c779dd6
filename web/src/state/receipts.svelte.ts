/**
 * How far the others have read, in the chats where one knows everybody.
 *
 * Receipts         open (a chat), readers: who has read up to a place; all, with times, for those who ask
 */
import type { Api } from '../api/routes';
import type { Chat, Id, ReadPosition } from '../api/types';
import type { Replica } from './replica.svelte';

export class Receipts {
  private positions = $state.raw<ReadonlyMap<Id, ReadonlyMap<Id, number>>>(new Map());

  constructor(
    private readonly api: Pick<Api, 'receipts'>,
    private readonly replica: Replica,
  ) {
    replica.onEvent((event) => {
      if (event.type !== 'receipt.updated') return;
      const { chat_id, user_id, last_read_seq } = event.payload;
      if (this.positions.has(chat_id)) this.put(chat_id, [{ user_id, last_read_seq }]);
    });
  }

  /** Direct messages and groups only: elsewhere nobody reads so long a list. */
  static areShownIn(chat: Chat): boolean {
    return chat.type === 'Single' || chat.type === 'Group';
  }

  async open(chatId: Id): Promise<void> {
    this.put(chatId, []); // what is heard from now on counts, whether it comes before the answer or after it
    try {
      this.put(chatId, await this.api.receipts(chatId));
    } catch {
      // An ornament: without an answer there is none.
    }
  }

  /** Everybody's position as the server has it now, whatever the chat. Throws without an answer. */
  async all(chatId: Id): Promise<ReadPosition[]> {
    return await this.api.receipts(chatId);
  }

  /** Those who have read message number `seq`, without its sender and oneself. */
  readers(chatId: Id, seq: number, senderId: Id): Id[] {
    const positions = this.positions.get(chatId) ?? new Map<Id, number>();
    return [...positions]
      .filter(([userId, read]) => read >= seq && userId !== senderId && userId !== this.replica.me)
      .map(([userId]) => userId);
  }

  forget(): void {
    this.positions = new Map();
  }

  /** Nobody unreads. */
  private put(chatId: Id, found: readonly { user_id: Id; last_read_seq: number }[]): void {
    const positions = new Map(this.positions.get(chatId));
    for (const { user_id, last_read_seq } of found)
      positions.set(user_id, Math.max(positions.get(user_id) ?? 0, last_read_seq));
    this.positions = new Map(this.positions).set(chatId, positions);
  }
}
