/**
 * What one can do with a message: the same in the bar beside it and in the sheet of a long press.
 *
 * Deeds            what the conversation does itself
 * deedsOn          those that are open to this person with this message, in the order shown
 */
import type { Id, Message } from '../api/types';
import type { MessageKey } from '../i18n/catalogue';
import type { App } from '../state/app.svelte';
import { chatPath } from '../state/routes';
import type { IconName } from './icons';

export interface Deeds {
  reply: (message: Message) => void;
  edit: (message: Message) => void;
  /** Show who has read it. */
  seen: (message: Message) => void;
  /** Show all deeds in a sheet. */
  menu: (message: Message) => void;
  /** Go to a message of this chat. */
  jump: (id: Id) => void;
}

export interface Deed {
  name: 'reply' | 'copyLink' | 'copyText' | 'seen' | 'edit' | 'delete';
  label: MessageKey;
  icon: IconName;
  /** In the bar, where there is little room, too. */
  isQuick: boolean;
  run: () => void | Promise<void>;
}

export function deedsOn(app: App, message: Message, { reply, edit, seen }: Deeds): Deed[] {
  const link = location.origin + chatPath(message.chat_id, message.id);
  const copy = (text: string) => (): Promise<void> => navigator.clipboard.writeText(text);
  const [mayEdit, mayRemove] = [
    app.edits.mayEdit(message),
    app.edits.mayRemove(message, app.chats.get(message.chat_id)),
  ];
  const all: (Deed | false)[] = [
    { name: 'reply', label: 'message.reply', icon: 'reply', isQuick: true, run: () => reply(message) },
    mayEdit && { name: 'edit', label: 'message.edit', icon: 'edit', isQuick: true, run: () => edit(message) },
    { name: 'copyLink', label: 'message.copyLink', icon: 'link', isQuick: true, run: copy(link) },
    message.content !== '' && {
      ...({ name: 'copyText', label: 'message.copyText', icon: 'copy', isQuick: false } as const),
      run: copy(message.content),
    },
    { name: 'seen', label: 'message.seen', icon: 'eye', isQuick: false, run: () => seen(message) },
    mayRemove && {
      ...({ name: 'delete', label: 'message.delete', icon: 'trash', isQuick: true } as const),
      run: () => app.edits.remove(message),
    },
  ];
  return all.filter((deed) => deed !== false);
}
