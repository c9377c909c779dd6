import { describe, expect, it } from 'vitest';
import { continueList, isInCode, linkOver, wrap, wrapCode, type Edit, type Selected } from '../../src/composer/edits';
import { closedAt, completed, triggerAt } from '../../src/composer/trigger';

/** A text whose selection stands between bars: `a |b| c`, or a caret: `a | b`. */
function at(marked: string): Selected {
  const [before = '', inner = '', after] = marked.split('|');
  return after === undefined
    ? { text: before + inner, start: before.length, end: before.length }
    : { text: before + inner + after, start: before.length, end: before.length + inner.length };
}

function done({ text }: Selected, edit: Edit | null): string | null {
  if (edit === null) return null;
  const next = text.slice(0, edit.from) + edit.text + text.slice(edit.to);
  const inner = next.slice(edit.start, edit.end);
  const marks = edit.start === edit.end ? '|' : `|${inner}|`;
  return next.slice(0, edit.start) + marks + next.slice(edit.end);
}

describe('marks', () => {
  it.each([
    ['a |b| c', '**', 'a **|b|** c'],
    ['a **|b|** c', '**', 'a |b| c'],
    ['a |**b**| c', '**', 'a |b| c'],
    ['a |b |c', '**', 'a **|b|** c'],
    ['|', '**', '**|**'],
    ['**|**', '**', '|'],
    ['**|b|**', '*', '***|b|***'],
    ['***|b|***', '*', '**|b|**'],
    ['|汉字|', '~~', '~~|汉字|~~'],
  ])('%j with %s is %j', (before, mark, after) => {
    expect(done(at(before), wrap(at(before), mark))).toBe(after);
  });

  it.each([
    ['|x|', '`|x|`'],
    ['|a\nb|', '```\n|a\nb|\n```'],
    ['x |a\nb| y', 'x \n```\n|a\nb|\n```\n y'],
  ])('code of %j is %j', (before, after) => {
    expect(done(at(before), wrapCode(at(before)))).toBe(after);
  });
});

describe('a new line', () => {
  it.each([
    ['- a|', '- a\n- |'],
    ['  * a|', '  * a\n  * |'],
    ['9. a|', '9. a\n10. |'],
    ['1) a|b', '1) a\n2) |b'],
    ['- [x] a|', '- [x] a\n- [ ] |'],
    ['> a|', '> a\n> |'],
    ['- a\n- |', '- a\n|'],
    ['x\n> |\ny', 'x\n|\ny'],
  ])('after %j gives %j', (before, after) => {
    expect(done(at(before), continueList(at(before)))).toBe(after);
  });

  it.each(['a|', '-a|', '|', '- |a|', '5 - 3|'])('after %j is only a line', (before) => {
    expect(continueList(at(before))).toBeNull();
  });

  it('knows when it is within code', () => {
    expect(isInCode('```\nx', 5)).toBe(true);
    expect(isInCode('```\nx\n```\ny', 11)).toBe(false);
  });
});

describe('an address that is pasted', () => {
  it('over words makes them a link', () => {
    const words = at('see |the docs|');
    expect(done(words, linkOver(words, ' https://example.com/a_(b) '))).toBe(
      'see [the docs](https://example.com/a_%28b%29)|',
    );
  });

  it.each([
    ['see |the docs|', 'no address'],
    ['see |the docs|', 'javascript:alert(1)'],
    ['see |', 'https://example.com'],
    ['|https://example.com|', 'https://example.com/b'],
    ['|a\nb|', 'https://example.com'],
  ])('into %j, %j is text like any other', (before, pasted) => {
    expect(linkOver(at(before), pasted)).toBeNull();
  });
});

describe('a name being typed', () => {
  it.each([
    ['@|', '@', ''],
    ['hi @ad|', '@', 'ad'],
    ['hi @Ada Lo|', '@', 'Ada Lo'],
    ['你好@小|', '@', '小'],
    ['#gen|eral', '#', 'gen'],
    ['yes :thu|', ':', 'thu'],
  ])('in %j', (text, kind, query) => {
    const { text: whole, start } = at(text);
    expect(triggerAt(whole, start)).toMatchObject({ kind, query });
  });

  it.each([
    'a@b|',
    '10:30|',
    ':x|',
    ':|',
    'https://x|',
    '@a b c d|',
    '@ a|',
    '@a\nb|',
    '##|',
    'hi|',
    '@a  b|',
    '::ab|',
  ])('is not in %j', (text) => expect(triggerAt(at(text).text, at(text).start)).toBeNull());

  it('is replaced by the choice, with a space behind it', () => {
    const typed = at('hi @ad|');
    const trigger = triggerAt(typed.text, typed.start);
    expect(trigger && done(typed, completed(typed.text, typed.start, trigger, '@ada'))).toBe('hi @ada |');
    const within = at('hi @ad| there');
    const inner = triggerAt(within.text, within.start);
    expect(inner && done(within, completed(within.text, within.start, inner, '@ada'))).toBe('hi @ada |there');
  });

  it.each([
    ['hi :wave:|', 'wave'],
    ['好:wave:|', 'wave'],
    ['`a` :+1:| b', '+1'],
  ])('is whole with a second colon in %j', (text, query) => {
    expect(closedAt(at(text).text, at(text).start)).toMatchObject({ kind: ':', query });
  });

  it.each([':wave|', '10:30:|', 'std::|', '`:wave:|', '```\n:wave:|', ':wave: |'])('is not in %j', (text) =>
    expect(closedAt(at(text).text, at(text).start)).toBeNull(),
  );
});
