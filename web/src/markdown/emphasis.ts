/**
 * Which stars, underscores and tildes belong together, by the rules of CommonMark; beside Chinese, Japanese and Korean
 * letters, which have no spaces around words, punctuation does not get in the way.
 *
 * Run              one row of equal characters, with what it opens and closes
 * runAt            the run at a place of a text
 * pair             find the pairs among runs; every run stays, and says what of it is left as text
 */
import type { Emphasis } from './tree';

export interface Run {
  kind: 'run';
  char: string;
  /** How many are left as text. */
  count: number;
  length: number;
  canOpen: boolean;
  canClose: boolean;
  /** From the innermost out. */
  opens: Emphasis[];
  closes: Emphasis[];
}

const SPACE = /^[\s]?$/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const EASTERN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff65]/u;

export function runAt(text: string, at: number): Run {
  const char = text.charAt(at);
  let end = at;
  while (text[end] === char) end += 1;
  const [before, after] = [charBefore(text, at), charAt(text, end)];
  const isLeft = leans(after, before);
  const isRight = leans(before, after);
  const isUnderscore = char === '_';
  const length = end - at;
  const isUsable = char !== '~' || length === 2;
  return {
    kind: 'run',
    char,
    count: length,
    length,
    canOpen: isUsable && isLeft && (!isUnderscore || !isRight || PUNCTUATION.test(before)),
    canClose: isUsable && isRight && (!isUnderscore || !isLeft || PUNCTUATION.test(after)),
    opens: [],
    closes: [],
  };
}

export function pair(runs: readonly Run[]): void {
  const open: Run[] = [];
  /** Below these, no opener for such a closer is left: what makes the search take linear time. */
  const floors = new Map<string, number>();
  for (const run of runs) {
    if (run.canClose) closeAll(run, open, floors);
    if (run.canOpen && run.count > 0) open.push(run);
  }
}

function closeAll(closer: Run, open: Run[], floors: Map<string, number>): void {
  const kind = `${closer.char}${closer.canOpen ? 1 : 0}${closer.length % 3}`;
  while (closer.count > 0) {
    const floor = Math.min(floors.get(kind) ?? 0, open.length);
    let at = open.length - 1;
    while (at >= floor && !fits(open[at], closer)) at -= 1;
    const opener = open[at];
    if (at < floor || !opener) {
      floors.set(kind, open.length);
      return;
    }
    open.length = at + 1;
    join(opener, closer);
    if (opener.count === 0) open.pop();
    for (const [each, place] of floors) if (place > open.length) floors.set(each, open.length);
  }
}

function fits(opener: Run | undefined, closer: Run): boolean {
  if (opener?.char !== closer.char) return false;
  const isEither = opener.canClose || closer.canOpen;
  const sum = opener.length + closer.length;
  return !isEither || sum % 3 !== 0 || (opener.length % 3 === 0 && closer.length % 3 === 0);
}

function join(opener: Run, closer: Run): void {
  const size = opener.count >= 2 && closer.count >= 2 ? 2 : 1;
  const tag: Emphasis = opener.char === '~' ? 's' : size === 2 ? 'strong' : 'em';
  opener.opens.push(tag);
  closer.closes.push(tag);
  opener.count -= size;
  closer.count -= size;
}

/** A run leans on `near` if that is no space, and no punctuation unless what stands beyond is a space or one too. */
function leans(near: string, far: string): boolean {
  if (SPACE.test(near)) return false;
  const isHindered = PUNCTUATION.test(near) && !EASTERN.test(near);
  return !isHindered || SPACE.test(far) || PUNCTUATION.test(far) || EASTERN.test(far);
}

const charAt = (text: string, at: number): string => {
  const code = text.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
};

function charBefore(text: string, at: number): string {
  const last = text.charCodeAt(at - 1);
  return last >= 0xdc00 && last <= 0xdfff ? charAt(text, at - 2) : text.charAt(at - 1);
}
