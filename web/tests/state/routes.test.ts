import { describe, expect, it } from 'vitest';
import { pathOf, placeOf, type Place } from '../../src/state/routes';

const at = (path: string): Place => placeOf(new URL(path, 'http://page.invalid'));

describe('addresses', () => {
  const places: Place[] = [
    { at: 'home' },
    { at: 'signin', invite: null },
    { at: 'signin', invite: 'a/b' },
    { at: 'signup' },
    { at: 'invite', code: 'aB-_9' },
    { at: 'invite', code: 'ä/?#' },
    { at: 'chat', chatId: 12, messageId: null },
    { at: 'chat', chatId: 12, messageId: 34 },
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
    '/chats/99999999999999999',
  ])('%s is nowhere', (path) => {
    expect(at(path)).toEqual({ at: 'nowhere' });
  });

  it('a message that is no number is left out', () => {
    expect(at('/chats/1?message=x')).toEqual({ at: 'chat', chatId: 1, messageId: null });
  });

  it('a broken escape does not break the page', () => {
    expect(at('/invite/%E0%A4%A')).toMatchObject({ at: 'invite' });
  });
});
