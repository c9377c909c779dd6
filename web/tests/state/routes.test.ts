import { describe, expect, it } from 'vitest';
import { NO_TERMS, pathOf, placeOf, type Place } from '../../src/state/routes';

const at = (path: string): Place => placeOf(new URL(path, 'http://page.invalid'));

describe('addresses', () => {
  const places: Place[] = [
    { at: 'home' },
    { at: 'signin', invite: null },
    { at: 'signin', invite: 'a/b' },
    { at: 'signup' },
    { at: 'new' },
    { at: 'invite', code: 'aB-_9' },
    { at: 'invite', code: 'ä/?#' },
    { at: 'chat', chatId: 12, messageId: null, details: null },
    { at: 'chat', chatId: 12, messageId: 34, details: null },
    { at: 'chat', chatId: 12, messageId: 34, details: 'files' },
    { at: 'search', terms: NO_TERMS },
    {
      at: 'search',
      terms: {
        q: 'a & b? "c"',
        chatId: 3,
        senderId: 4,
        after: '2026-01-02',
        before: '2026-02-03',
        hasFile: true,
        mentionsMe: true,
      },
    },
    { at: 'settings', page: null, workspaceId: null },
    { at: 'settings', page: 'profile', workspaceId: null },
    { at: 'settings', page: 'invites', workspaceId: 7 },
  ];

  it.each(places)('lead back to their place: %o', (place) => {
    expect(at(pathOf(place))).toEqual(place);
  });

  it.each([
    '/chats',
    '/chats/0',
    '/chats/x',
    '/chats/-1',
    '/chats/1/2',
    '/elsewhere',
    '/signin/x',
    '/search/x',
    '/settings/profile/x',
    '/chats/99999999999999999',
  ])('%s is nowhere', (path) => {
    expect(at(path)).toEqual({ at: 'nowhere' });
  });

  it('a message that is no number is left out', () => {
    expect(at('/chats/1?message=x')).toEqual({ at: 'chat', chatId: 1, messageId: null, details: null });
  });

  it('filters that mean nothing are left out', () => {
    const path = '/search?q=x&chat_id=-1&sender_id=me&after=yesterday&before=2026-99-99&has=soul&mentions=you';
    expect(at(path)).toEqual({ at: 'search', terms: { ...NO_TERMS, q: 'x' } });
  });

  it('details that do not exist are closed', () => {
    expect(at('/chats/1?details=secrets')).toMatchObject({ details: null });
  });

  it('a broken escape does not break the page', () => {
    expect(at('/invite/%E0%A4%A')).toMatchObject({ at: 'invite' });
  });
});
