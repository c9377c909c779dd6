/** The addresses of the page: which place a path means, and the path of a place. */
import type { Id } from '../api/types';

export type Place =
  | { at: 'home' }
  | { at: 'signin'; invite: string | null }
  | { at: 'signup' }
  | { at: 'invite'; code: string }
  | { at: 'chat'; chatId: Id; messageId: Id | null }
  | { at: 'nowhere' };

export function placeOf(url: { pathname: string; search: string }): Place {
  const [first, second, third] = url.pathname.split('/').filter(Boolean);
  if (first === undefined) return { at: 'home' };
  if (third !== undefined) return { at: 'nowhere' };
  const query = new URLSearchParams(url.search);
  if (first === 'signin' && second === undefined) return { at: first, invite: query.get('invite') };
  if (first === 'signup' && second === undefined) return { at: first };
  if (first === 'invite' && second !== undefined) return { at: 'invite', code: decode(second) };
  const chatId = idOf(second);
  if (first !== 'chats' || chatId === null) return { at: 'nowhere' };
  return { at: 'chat', chatId, messageId: idOf(query.get('message')) };
}

export function pathOf(place: Place): string {
  switch (place.at) {
    case 'signin':
      return `/signin${place.invite === null ? '' : `?invite=${encodeURIComponent(place.invite)}`}`;
    case 'signup':
      return '/signup';
    case 'invite':
      return `/invite/${encodeURIComponent(place.code)}`;
    case 'chat':
      return `/chats/${place.chatId}${place.messageId === null ? '' : `?message=${place.messageId}`}`;
    default:
      return '/';
  }
}

export const chatPath = (chatId: Id, messageId: Id | null = null): string => pathOf({ at: 'chat', chatId, messageId });

function idOf(text: string | null | undefined): Id | null {
  return text && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
