/**
 * What is being typed that names could complete: `@` a person, `#` a channel, `:` an emoji.
 *
 * triggerAt        what stands before the caret, if it is one of these
 * completed        the text with the choice in place of what was typed
 * closedAt         the emoji's name that a second `:` before the caret has closed
 */
import { isInCode, type Edit } from './edits';

export interface Trigger {
  kind: '@' | '#' | ':';
  query: string;
  /** Where its sign stands. */
  start: number;
}

const LONGEST = 40;
const WORD = /[\p{L}\p{N}]$/u;
const QUERIES: Record<Trigger['kind'], RegExp> = {
  '@': /^[\p{L}\p{N}_.\- ]{0,40}$/u,
  '#': /^[\p{L}\p{N}_.-]{0,40}$/u,
  ':': /^[\p{L}\p{N}_+-]{2,40}$/u,
};

export function triggerAt(text: string, caret: number): Trigger | null {
  const before = text.slice(Math.max(0, caret - LONGEST - 1), caret);
  const at = Math.max(before.lastIndexOf('@'), before.lastIndexOf('#'), before.lastIndexOf(':'));
  const kind = before.charAt(at);
  if (kind !== '@' && kind !== '#' && kind !== ':') return null;
  const query = before.slice(at + 1);
  // A letter before it makes it an address, a word, a time. Chinese has no spaces around words.
  const previous = before.slice(0, at);
  const isInWord = WORD.test(previous) && !/\p{Script=Han}$/u.test(previous);
  if (isInWord || previous.endsWith(kind) || !QUERIES[kind].test(query)) return null;
  // A name may have a space in it; one that ends with two words that nobody has is a sentence.
  if (/^ |\n| {2}/.test(query) || query.split(' ').length > 3) return null;
  return { kind, query, start: caret - query.length - 1 };
}

export function completed(text: string, caret: number, { start }: Trigger, choice: string): Edit {
  const inserted = /^\s/.test(text.slice(caret)) ? choice : `${choice} `;
  const end = start + inserted.length + (inserted === choice ? 1 : 0);
  return { from: start, to: caret, text: inserted, start: end, end };
}

/** Not in code, where `:` is what it is. */
export function closedAt(text: string, caret: number): Trigger | null {
  if (text.charAt(caret - 1) !== ':') return null;
  const trigger = triggerAt(text, caret - 1);
  const line = text.slice(text.lastIndexOf('\n', caret - 1) + 1, caret);
  const inCode = isInCode(text, caret) || line.split('`').length % 2 === 0;
  return trigger?.kind === ':' && !inCode ? trigger : null;
}
