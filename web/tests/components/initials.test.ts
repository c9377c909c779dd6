import { describe, expect, it } from 'vitest';
import { initialsOf } from '../../src/components/initials';

describe('initials', () => {
  it.each([
    ['Ada Lovelace', 'AL'],
    ['ada', 'A'],
    ['Zoë van der Ångström', 'ZÅ'],
    ['王小波', '波'],
    ['  ', '·'],
    ['🙂', '·'],
    ['🙂 Bob', 'B'],
  ])('%j is %j', (name, expected) => {
    expect(initialsOf(name)).toBe(expected);
  });
});
