/**
 * What one can do with a message: the same in the bar beside it and in the sheet of a long press.
 *
 * Deeds            what the conversation does itself
 * deedsOn          those that are open to this person with this message, in the order shown
 */
import type { Message } from '../api/types';
import type { MessageKey } from '../i18n/catalogue';
import type { App } from '../state/app.svelte';
import { chatPath } from '../state/routes';
import type { IconName } from './icons';

export interface Deeds {
  reply: (message: Message) => void;
  edit: (message: Message) => void;
  /** Show all deeds in a sheet. */
  menu: (message: Message) => void;
}

export interface Deed {
  name: 'reply' | 'copyLink' | 'copyText' | 'edit' | 'delete';
  label: MessageKey;
  icon: IconName;
  run: () => void | Promise<void>;
}

export function deedsOn(app: App, message: Message, { reply, edit }: Deeds): Deed[] {
  const link = location.origin + chatPath(message.chat_id, message.id);
  const deeds: Deed[] = [
    { name: 'reply', label: 'message.reply', icon: 'reply', run: () => reply(message) },
    { name: 'copyLink', label: 'message.copyLink', icon: 'link', run: () => navigator.clipboard.writeText(link) },
  ];
  if (message.content !== '') {
    const copy = (): Promise<void> => navigator.clipboard.writeText(message.content);
    deeds.push({ name: 'copyText', label: 'message.copyText', icon: 'copy', run: copy });
  }
  if (app.edits.mayEdit(message))
    deeds.push({ name: 'edit', label: 'message.edit', icon: 'edit', run: () => edit(message) });
  if (app.edits.mayRemove(message, app.chats.get(message.chat_id)))
    deeds.push({ name: 'delete', label: 'message.delete', icon: 'trash', run: () => app.edits.remove(message) });
  return deeds;
}
