/**
 * The marks of a paragraph: emphasis, code, links, mentions, line breaks. Takes time in proportion to the text.
 *
 * inline           a text as marks
 */
import { pair, runAt, type Run } from './emphasis';
import { angledLink, bareLink, destination, safeHref } from './links';
import type { Mark } from './tree';

/** `[`, which may turn out to open a link: then what it holds is known when it closes. */
interface Bracket {
  kind: 'bracket';
  /** How many runs came before it. */
  runs: number;
  href: string | null;
}

type Piece = Mark | Run | Bracket;

const SPECIAL = /[\\`*_~[\]<@#\nhHwW]/g;
const MENTION = /@([\p{L}\p{N}](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_])?)/uy;
const CHANNEL = /#([\p{L}\p{N}](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}])?)/uy;
const WORD_BEFORE = /[\p{L}\p{N}_@#&/.-]$/u;
const LETTER_BEFORE = /[A-Za-z0-9]$/;
const ESCAPABLE = /[!-/:-@[-`{-~]/;

export function inline(text: string): Mark[] {
  return new Reader(text).read();
}

class Reader {
  private at = 0;
  private readonly pieces: Piece[] = [];
  private runs: Run[] = [];
  private readonly brackets: Bracket[] = [];
  /** Rows of backticks that have no partner further on, by their length. */
  private readonly lonely = new Set<number>();

  constructor(private readonly text: string) {}

  read(): Mark[] {
    while (this.at < this.text.length) {
      SPECIAL.lastIndex = this.at;
      const next = SPECIAL.exec(this.text)?.index ?? this.text.length;
      this.say(this.text.slice(this.at, next));
      this.at = next;
      if (next < this.text.length) this.special(this.text.charAt(next));
    }
    pair(this.runs);
    return this.pieces.flatMap(marksOf);
  }

  private special(char: string): void {
    if (char === '\\') this.escape();
    else if (char === '`') this.code();
    else if (char === '*' || char === '_' || char === '~') this.run();
    else if (char === '[') this.bracket();
    else if (char === ']') this.endBracket();
    else if (char === '<') this.angled();
    else if (char === '@') this.name('mention', MENTION);
    else if (char === '#') this.name('channel', CHANNEL);
    else if (char === '\n') this.push({ kind: 'break' }, 1);
    else this.bare();
  }

  private push(piece: Piece, length: number): void {
    this.pieces.push(piece);
    this.at += length;
  }

  /** Text, together with the text before it. */
  private say(text: string): void {
    const last = this.pieces.at(-1);
    if (text === '') return;
    if (last?.kind === 'text') last.text += text;
    else this.pieces.push({ kind: 'text', text });
  }

  private take(length: number): void {
    this.say(this.text.slice(this.at, this.at + length));
    this.at += length;
  }

  private escape(): void {
    const next = this.text.charAt(this.at + 1);
    if (next === '\n') this.push({ kind: 'break' }, 2);
    else if (ESCAPABLE.test(next)) {
      this.say(next);
      this.at += 2;
    } else this.take(1);
  }

  private code(): void {
    const length = rowLength(this.text, this.at);
    const end = this.lonely.has(length) ? -1 : this.endOfCode(length);
    if (end < 0) {
      this.lonely.add(length);
      return this.take(length);
    }
    const inner = this.text.slice(this.at + length, end).replace(/\n/g, ' ');
    const isPadded = inner.startsWith(' ') && inner.endsWith(' ') && inner.trim() !== '';
    this.push({ kind: 'code', text: isPadded ? inner.slice(1, -1) : inner }, end + length - this.at);
  }

  private endOfCode(length: number): number {
    let at = this.text.indexOf('`', this.at + length);
    while (at >= 0) {
      const found = rowLength(this.text, at);
      if (found === length) return at;
      at = this.text.indexOf('`', at + found);
    }
    return -1;
  }

  private run(): void {
    const run = runAt(this.text, this.at);
    this.runs.push(run);
    this.push(run, run.length);
  }

  private bracket(): void {
    const bracket: Bracket = { kind: 'bracket', runs: this.runs.length, href: null };
    this.brackets.push(bracket);
    this.push(bracket, 1);
  }

  private endBracket(): void {
    const bracket = this.brackets.pop();
    const found = bracket && this.text[this.at + 1] === '(' ? destination(this.text, this.at + 2) : null;
    const href = found && safeHref(found.href);
    if (!bracket || !found || href === null) return this.take(1);
    bracket.href = href;
    // What is emphasised within a link ends within it. No link holds another.
    pair(this.runs.splice(bracket.runs));
    this.brackets.length = 0;
    this.push({ kind: 'close' }, found.end - this.at);
  }

  private angled(): void {
    const found = angledLink(this.text, this.at);
    const href = found && safeHref(found);
    if (!found || !href) return this.take(1);
    this.link(href, found.replace(/^mailto:/i, ''), found.length + 2);
  }

  private bare(): void {
    const isInWord = LETTER_BEFORE.test(this.text.charAt(this.at - 1));
    const found = isInWord ? null : bareLink(this.text, this.at);
    if (found) this.link(found.href, found.text, found.text.length);
    else this.take(1);
  }

  private link(href: string, text: string, length: number): void {
    this.pieces.push({ kind: 'link', href }, { kind: 'text', text }, { kind: 'close' });
    this.at += length;
  }

  private name(kind: 'mention' | 'channel', pattern: RegExp): void {
    pattern.lastIndex = this.at;
    const isInWord = WORD_BEFORE.test(this.text.slice(Math.max(0, this.at - 2), this.at));
    const name = isInWord ? undefined : pattern.exec(this.text)?.[1];
    if (name === undefined) this.take(1);
    else this.push({ kind, name }, name.length + 1);
  }
}

function marksOf(piece: Piece): Mark[] {
  if (piece.kind === 'bracket')
    return [piece.href === null ? { kind: 'text', text: '[' } : { kind: 'link', href: piece.href }];
  if (piece.kind !== 'run') return [piece];
  return [
    ...piece.closes.map(() => ({ kind: 'close' }) as const),
    ...(piece.count > 0 ? [{ kind: 'text', text: piece.char.repeat(piece.count) } as const] : []),
    ...piece.opens.map((tag) => ({ kind: 'open', tag }) as const).reverse(),
  ];
}

function rowLength(text: string, at: number): number {
  let end = at;
  while (text[end] === '`') end += 1;
  return end - at;
}
