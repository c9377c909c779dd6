import { describe, expect, it } from 'vitest';
import { matching } from '../../src/state/matches';

const found = (names: string[], q: string): string[] => matching(names, (name) => name, q, 'en');

describe('names that match', () => {
  it('come with the best first: the name begins so, then a word of it, then any part', () => {
    expect(found(['backport', 'the port', 'Portland', 'sea'], 'port')).toEqual(['Portland', 'the port', 'backport']);
  });

  it('keep their order among equals, and all of it when nothing is typed', () => {
    expect(found(['b', 'a'], ' ')).toEqual(['b', 'a']);
    expect(found(['dev-b', 'dev-a'], 'DEV')).toEqual(['dev-b', 'dev-a']);
  });

  it('are found by a part of a Chinese name', () => expect(found(['王小明', '李雷'], '小明')).toEqual(['王小明']));
});
