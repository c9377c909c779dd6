/**
 * Addresses in a text: which may be followed, and where a bare one ends.
 *
 * safeHref         the address if it leads to the web or a mailbox, else null
 * bareLink         the address that stands at a place of the text, as it is written and as it is followed
 * destination      the `(address "title")` behind a link's text
 */

export interface BareLink {
  text: string;
  href: string;
}

const SAFE = /^(?:https?:\/\/|mailto:)/i;
const BARE = /(?:https?:\/\/|www\.)[^\s<>"`\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65“”‘’…]+/iy;
const ANGLED = /<((?:https?:\/\/|mailto:)[^\s<>]{1,2000})>/iy;
/** Marks that end a sentence rather than an address. */
const TRAILING = ".,:;!?'*_~|";
const LONGEST = 2048;
const DEEPEST = 32;

/** Control characters and backslashes are how a browser is led to read another address than a person does. */
export function safeHref(href: string): string | null {
  // eslint-disable-next-line no-control-regex
  if (href.length > LONGEST || !SAFE.test(href) || /[\u0000-\u0020\u007f\\]/.test(href)) return null;
  return URL.canParse(href) ? href : null;
}

export function bareLink(text: string, at: number): BareLink | null {
  BARE.lastIndex = at;
  const found = BARE.exec(text)?.[0];
  if (found === undefined) return null;
  const shown = ended(found.slice(0, LONGEST));
  const href = safeHref(/^www\./i.test(shown) ? `https://${shown}` : shown);
  return href !== null && /[^/:.?#]/.test(shown.replace(/^(?:https?:\/\/|www\.)/i, '')) ? { text: shown, href } : null;
}

export function angledLink(text: string, at: number): string | null {
  ANGLED.lastIndex = at;
  return ANGLED.exec(text)?.[1] ?? null;
}

/** `at` is behind the `](`; `end` behind the closing bracket. */
export function destination(text: string, at: number): { href: string; end: number } | null {
  const [start, limit] = [skipSpaces(text, at), Math.min(text.length, at + LONGEST)];
  const isAngled = text[start] === '<';
  const end = isAngled ? text.indexOf('>', start) : endOfAddress(text, start, limit);
  if (end < 0 || end > limit) return null;
  const href = text.slice(isAngled ? start + 1 : start, end).replace(/\\([!-/:-@[-`{-~])/g, '$1');
  const close = afterTitle(text, isAngled ? end + 1 : end);
  return close < 0 ? null : { href, end: close + 1 };
}

/** Without the marks of the sentence around it, and without a bracket that was opened before it. */
function ended(address: string): string {
  let end = address.length;
  for (;;) {
    const last = address[end - 1];
    if (last === undefined) break;
    const isStray =
      (last === ')' && closesMore(address.slice(0, end), '(', ')')) ||
      (last === ']' && closesMore(address.slice(0, end), '[', ']'));
    if (!TRAILING.includes(last) && !isStray) break;
    end -= 1;
    if (address.length - end > DEEPEST) break;
  }
  return address.slice(0, end);
}

function closesMore(text: string, open: string, close: string): boolean {
  return text.split(close).length > text.split(open).length;
}

function endOfAddress(text: string, start: number, limit: number): number {
  let depth = 0;
  for (let at = start; at < limit; at += 1) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (char === '(' && (depth += 1) > DEEPEST) return -1;
    else if (char === ')' && depth-- === 0) return at;
    else if (char === ' ' || char === '\n') return depth === 0 ? at : -1;
  }
  return -1;
}

/** Where the bracket closes behind an optional title in quotes; -1 if it does not. */
function afterTitle(text: string, at: number): number {
  const place = skipSpaces(text, at);
  const quote = text[place];
  if (quote === ')') return place;
  if ((quote !== '"' && quote !== "'") || place === at) return -1;
  const end = text.slice(0, place + LONGEST).indexOf(quote, place + 1);
  const close = end < 0 ? -1 : skipSpaces(text, end + 1);
  return close >= 0 && text[close] === ')' ? close : -1;
}

function skipSpaces(text: string, at: number): number {
  let place = at;
  while (text[place] === ' ' && place - at < DEEPEST) place += 1;
  return place;
}
