/** What one has begun to write, per chat, until it is sent. */
import type { Id } from '../api/types';

export class Drafts {
  private readonly texts = new Map<Id, string>();

  get(chatId: Id): string {
    return this.texts.get(chatId) ?? '';
  }

  set(chatId: Id, text: string): void {
    if (text === '') this.texts.delete(chatId);
    else this.texts.set(chatId, text);
  }

  forget(): void {
    this.texts.clear();
  }
}
