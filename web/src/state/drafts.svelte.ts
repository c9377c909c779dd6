/**
 * What one has begun to write, per chat, kept on this device until it is sent or its writer signs out.
 *
 * Drafts           load (whose they are), get, set, has; forget them all
 */
import type { Id } from '../api/types';
import { keep, namesOf, recall } from './device';

const DRAFT = 'draft.';

export class Drafts {
  private texts = $state.raw<ReadonlyMap<Id, string>>(new Map());
  private owner: Id | null = null;

  /** Take up the drafts of one person; those of anybody else are not kept any longer. */
  load(owner: Id): void {
    this.owner = owner;
    const texts = new Map<Id, string>();
    for (const name of namesOf(DRAFT)) {
      const [person, chat] = name.slice(DRAFT.length).split('.').map(Number);
      const text = recall(name);
      if (person === owner && chat !== undefined && text) texts.set(chat, text);
      else keep(name, null);
    }
    this.texts = texts;
  }

  get(chatId: Id): string {
    return this.texts.get(chatId) ?? '';
  }

  has(chatId: Id): boolean {
    return this.get(chatId).trim() !== '';
  }

  get size(): number {
    return [...this.texts.values()].filter((text) => text.trim() !== '').length;
  }

  set(chatId: Id, text: string): void {
    if (this.get(chatId) === text) return;
    const texts = new Map(this.texts);
    if (text === '') texts.delete(chatId);
    else texts.set(chatId, text);
    this.texts = texts;
    if (this.owner !== null) keep(`${DRAFT}${this.owner}.${chatId}`, text === '' ? null : text);
  }

  forget(): void {
    for (const name of namesOf(DRAFT)) keep(name, null);
    this.texts = new Map();
    this.owner = null;
  }
}
