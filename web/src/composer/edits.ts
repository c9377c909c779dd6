/**
 * What the keys of a composer do to its text, as plain values: a text with a selection, and what of it is replaced.
 *
 * wrap             put marks around the selection, or take them away
 * continueList     what Enter does within a list or a quote; null where it does nothing special
 * linkOver         the selection as the text of a link to what was pasted; null if that is no address
 */

export interface Selected {
  text: string;
  start: number;
  end: number;
}

/** Replace `from` to `to` by `text`, then select `start` to `end` of the whole. */
export interface Edit {
  from: number;
  to: number;
  text: string;
  start: number;
  end: number;
}

const ITEM = /^( *)([-*+]|(\d{1,9})([.)]))( +)(\[[ xX]\] +)?(.*)$/;
const QUOTE = /^( *)(> ?)(.*)$/;

export function wrap({ text, start, end }: Selected, mark: string): Edit {
  const [length, inner] = [mark.length, text.slice(start, end)];
  if (
    text.slice(start - length, start) === mark &&
    text.slice(end, end + length) === mark &&
    isAlone(text, start, end, mark)
  )
    return { from: start - length, to: end + length, text: inner, start: start - length, end: end - length };
  if (inner.length >= 2 * length && inner.startsWith(mark) && inner.endsWith(mark)) {
    const bare = inner.slice(length, -length);
    return { from: start, to: end, text: bare, start, end: start + bare.length };
  }
  // Marks beside a space are no marks.
  const [lead, tail] = [inner.length - inner.trimStart().length, inner.length - inner.trimEnd().length];
  const [from, to] = inner.trim() === '' ? [start, end] : [start + lead, end - tail];
  return { from, to, text: mark + text.slice(from, to) + mark, start: from + length, end: to + length };
}

/** Code in one line between backticks, in several between fences. */
export function wrapCode(selected: Selected): Edit {
  const { text, start, end } = selected;
  const inner = text.slice(start, end);
  if (!inner.includes('\n')) return wrap(selected, '`');
  const [before, after] = [
    start > 0 && text[start - 1] !== '\n' ? '\n```\n' : '```\n',
    end < text.length && text[end] !== '\n' ? '\n```\n' : '\n```',
  ];
  return { from: start, to: end, text: before + inner + after, start: start + before.length, end: end + before.length };
}

export function continueList({ text, start, end }: Selected): Edit | null {
  if (start !== end) return null;
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const line = text.slice(lineStart, start);
  const mark = markOf(line);
  if (mark === null) return null;
  const lineEnd = text.indexOf('\n', start);
  const rest = text.slice(start, lineEnd < 0 ? text.length : lineEnd);
  if (mark.isEmpty && rest.trim() === '')
    return { from: lineStart, to: start, text: '', start: lineStart, end: lineStart };
  const next = `\n${mark.next}`;
  return { from: start, to: start, text: next, start: start + next.length, end: start + next.length };
}

export function linkOver({ text, start, end }: Selected, pasted: string): Edit | null {
  const [address, inner] = [pasted.trim(), text.slice(start, end)];
  const isAddress = /^https?:\/\/[^\s<>]+$/i.test(address) && URL.canParse(address);
  if (!isAddress || inner.trim() === '' || /[\n[\]]/.test(inner) || URL.canParse(inner)) return null;
  const link = `[${inner}](${address.replace(/[()]/g, (bracket) => `%${bracket.charCodeAt(0).toString(16)}`)})`;
  return { from: start, to: end, text: link, start: start + link.length, end: start + link.length };
}

/** Within code, whose lines are continued as they are, nothing is a list. */
export function isInCode(text: string, at: number): boolean {
  return (text.slice(0, at).match(/^ {0,3}```/gm) ?? []).length % 2 === 1;
}

function markOf(line: string): { next: string; isEmpty: boolean } | null {
  const item = ITEM.exec(line);
  if (item) {
    const [, indent = '', bullet = '', number, sign = '', space = ' ', task, words = ''] = item;
    const next = number === undefined ? bullet : `${Number(number) + 1}${sign}`;
    return { next: `${indent}${next}${space}${task ? '[ ] ' : ''}`, isEmpty: words.trim() === '' };
  }
  const quote = QUOTE.exec(line);
  if (!quote) return null;
  const [, indent = '', mark = '', words = ''] = quote;
  return { next: indent + mark, isEmpty: words.trim() === '' };
}

/** The star of an italic text is not one half of a bold one's. */
function isAlone(text: string, start: number, end: number, mark: string): boolean {
  if (mark !== '*') return true;
  const [before, after] = [/\**$/.exec(text.slice(0, start))?.[0].length, /^\**/.exec(text.slice(end))?.[0].length];
  return before !== 2 && after !== 2;
}
