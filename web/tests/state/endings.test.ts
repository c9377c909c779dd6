import { describe, expect, it } from 'vitest';
import { endOf } from '../../src/state/endings';

const wednesday = new Date(2026, 2, 11, 22, 45);

describe('the end of a status', () => {
  it('is so much later', () => {
    expect(endOf('halfHour', wednesday)).toEqual(new Date(2026, 2, 11, 23, 15));
    expect(endOf('fourHours', wednesday)).toEqual(new Date(2026, 2, 12, 2, 45));
  });

  it('is the midnight that comes', () => {
    expect(endOf('today', wednesday)).toEqual(new Date(2026, 2, 12));
  });

  it('is the Monday that comes, also on a Sunday and a Monday', () => {
    expect(endOf('week', wednesday)).toEqual(new Date(2026, 2, 16));
    expect(endOf('week', new Date(2026, 2, 15, 12))).toEqual(new Date(2026, 2, 16));
    expect(endOf('week', new Date(2026, 2, 16, 0))).toEqual(new Date(2026, 2, 23));
  });

  it('never comes by itself', () => {
    expect(endOf('never', wednesday)).toBeNull();
  });
});
