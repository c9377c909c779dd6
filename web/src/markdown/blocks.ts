/**
 * The blocks of a text: paragraphs, headings, code, quotes, lists, tables. HTML is text like any other.
 *
 * parse            a text as blocks
 */
import { inline } from './inline';
import { readTable } from './table';
import type { Block, Item } from './tree';

/** Deeper quotes and lists than this are text. */
const DEEPEST = 8;
const FENCE = /^ {0,3}(?:(`{3,})([^`]*)|(~{3,})(.*))$/;
const HEADING = /^ {0,3}(#{1,6}) +(\S.*)$/;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( {1,4}|$)/;
const TASK = /^\[([ xX])\] +/;
const SHORTEST_NEST = 2;

export function parse(text: string): Block[] {
  return blocksOf(
    text
      .replace(/\r\n?/g, '\n')
      .replace(/^\t+/gm, (tabs) => '    '.repeat(tabs.length))
      .split('\n'),
    0,
  );
}

/** A place in lines; each reader of a block takes what is its own. */
export class Lines {
  at = 0;

  constructor(readonly all: readonly string[]) {}

  get now(): string {
    return this.all[this.at] ?? '';
  }

  get isDone(): boolean {
    return this.at >= this.all.length;
  }

  takeWhile(wanted: (line: string) => boolean): string[] {
    const start = this.at;
    while (!this.isDone && wanted(this.now)) this.at += 1;
    return this.all.slice(start, this.at);
  }
}

function blocksOf(all: readonly string[], depth: number): Block[] {
  const lines = new Lines(all);
  const blocks: Block[] = [];
  while (!lines.isDone) {
    if (lines.now.trim() === '') lines.at += 1;
    else blocks.push(blockAt(lines, depth));
  }
  return blocks;
}

function blockAt(lines: Lines, depth: number): Block {
  const heading = HEADING.exec(lines.now);
  if (heading) {
    lines.at += 1;
    return { kind: 'heading', level: heading[1]?.length ?? 1, marks: inline(withoutEnd(heading[2] ?? '')) };
  }
  if (RULE.test(lines.now)) {
    lines.at += 1;
    return { kind: 'rule' };
  }
  const code = readCode(lines) ?? readTable(lines);
  if (code) return code;
  if (depth < DEEPEST && QUOTE.test(lines.now)) return readQuote(lines, depth);
  if (depth < DEEPEST && ITEM.test(lines.now)) return readList(lines, depth);
  return readParagraph(lines, depth);
}

/** The closing row of `#` that a heading may have. */
const withoutEnd = (text: string): string => text.trimEnd().replace(/ #+$/, '');

function readCode(lines: Lines): Block | null {
  const fence = FENCE.exec(lines.now);
  const mark = fence?.[1] ?? fence?.[3];
  if (!fence || mark === undefined) return null;
  const language = (fence[2] ?? fence[4] ?? '').trim().split(/\s/, 1)[0] ?? '';
  lines.at += 1;
  const isEnd = (line: string): boolean =>
    line.trim().startsWith(mark) && line.trim().replaceAll(mark.charAt(0), '') === '';
  const body = lines.takeWhile((line) => !isEnd(line));
  lines.at += 1;
  return { kind: 'code', language: language.toLowerCase(), text: body.join('\n') };
}

function readQuote(lines: Lines, depth: number): Block {
  const body = lines.takeWhile((line) => QUOTE.test(line)).map((line) => line.replace(QUOTE, ''));
  return { kind: 'quote', blocks: blocksOf(body, depth + 1) };
}

function readList(lines: Lines, depth: number): Block {
  const first = ITEM.exec(lines.now)?.[2] ?? '-';
  const items: Item[] = [];
  while (!lines.isDone) {
    const found = ITEM.exec(lines.now);
    if (!found || !isAlike(found[2] ?? '', first) || RULE.test(lines.now)) break;
    items.push(readItem(lines, found, depth));
    const next = firstWritten(lines);
    if (isAlike(ITEM.exec(lines.all[next] ?? '')?.[2] ?? '', first)) lines.at = next;
  }
  const start = Number.parseInt(first, 10);
  return { kind: 'list', start: Number.isNaN(start) ? null : start, items };
}

function readItem(lines: Lines, found: RegExpExecArray, depth: number): Item {
  const [whole, indent = ''] = found;
  const first = lines.now.slice(whole.length);
  lines.at += 1;
  const nested = lines.takeWhile((line) => isNested(line, indent.length, whole.length));
  const task = TASK.exec(first);
  const body = [task ? first.slice(task[0].length) : first, ...nested.map((line) => dedent(line, whole.length))];
  return { isDone: task ? task[1] !== ' ' : null, blocks: blocksOf(body, depth + 1) };
}

/** Below the item's own text, or the mark of another item that is a little indented. */
function isNested(line: string, indent: number, width: number): boolean {
  const own = line.length - line.trimStart().length;
  if (line.trim() === '') return false;
  return own >= width || (own >= indent + SHORTEST_NEST && ITEM.test(line.trimStart()));
}

const dedent = (line: string, by: number): string => line.slice(Math.min(by, line.length - line.trimStart().length));

function firstWritten(lines: Lines): number {
  let at = lines.at;
  while (at < lines.all.length && lines.all[at]?.trim() === '') at += 1;
  return at;
}

/** Items of one list: all with the same bullet, or all numbered in the same way. */
const isAlike = (mark: string, first: string): boolean => mark !== '' && mark.at(-1) === first.at(-1);

function readParagraph(lines: Lines, depth: number): Block {
  const start = lines.at;
  lines.at += 1;
  lines.takeWhile((line) => line.trim() !== '' && !interrupts(line, depth));
  const text = lines.all.slice(start, lines.at).map((line) => line.trim());
  return { kind: 'paragraph', marks: inline(text.join('\n')) };
}

function interrupts(line: string, depth: number): boolean {
  if (FENCE.test(line) || HEADING.test(line) || RULE.test(line)) return true;
  if (depth >= DEEPEST) return false;
  const mark = ITEM.exec(line)?.[2];
  return QUOTE.test(line) || (mark !== undefined && (/^[-*+]$/.test(mark) || Number.parseInt(mark, 10) === 1));
}
