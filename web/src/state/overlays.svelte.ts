/**
 * What lies over the page: at most one dialog, and the card of a person.
 *
 * Overlays         open a dialog by its name, show a person's card beside an element; close them
 */
import type { Id } from '../api/types';

export type DialogName = 'new' | 'browse' | 'invite' | 'switch' | 'status' | 'workspace';

export interface PersonCard {
  userId: Id;
  anchor: HTMLElement;
}

export class Overlays {
  dialog = $state<DialogName | null>(null);
  card = $state.raw<PersonCard | null>(null);

  open(name: DialogName): void {
    this.card = null;
    this.dialog = name;
  }

  close(): void {
    this.dialog = null;
  }

  showPerson(userId: Id, anchor: HTMLElement): void {
    this.card = { userId, anchor };
  }

  hidePerson(): void {
    this.card = null;
  }
}
