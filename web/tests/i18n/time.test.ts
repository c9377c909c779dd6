import { describe, expect, it } from 'vitest';
import { dayName, dayOf, recently, shortClock } from '../../src/i18n/time';

const local = (...parts: [number, number, number, number?, number?]): string => new Date(...parts).toISOString();
const NOW = new Date(2026, 2, 30, 9, 0);

describe('times', () => {
  it('days are those of the reader', () => {
    expect(dayOf(local(2026, 0, 5, 0, 1))).toBe(dayOf(local(2026, 0, 5, 23, 59)));
    expect(dayOf(local(2026, 0, 5, 23, 59))).not.toBe(dayOf(local(2026, 0, 6, 0, 0)));
  });

  it('near days have names, in the language', () => {
    expect(dayName(local(2026, 2, 30, 0, 5), 'en', NOW)).toBe('Today');
    expect(dayName(local(2026, 2, 29, 23, 0), 'en', NOW)).toBe('Yesterday');
    expect(dayName(local(2026, 2, 29, 0, 30), 'zh', NOW)).toBe('昨天');
    expect(dayName(local(2026, 2, 31, 1, 0), 'en', NOW)).toBe('Tuesday, March 31');
  });

  it('other days have their date, with the year when it is another', () => {
    expect(dayName(local(2026, 2, 2), 'en', NOW)).toBe('Monday, March 2');
    expect(dayName(local(2014, 10, 30), 'en', NOW)).toBe('Sunday, November 30, 2014');
    expect(dayName(local(2014, 10, 30), 'zh', NOW)).toBe('2014年11月30日星期日');
  });

  it('a list says the time today, and the day otherwise', () => {
    expect(recently(local(2026, 2, 30, 8, 5), 'zh', NOW)).toBe('08:05');
    expect(recently(local(2026, 2, 29, 8, 5), 'en', NOW)).toBe('Yesterday');
    expect(recently(local(2026, 0, 9), 'en', NOW)).toBe('Jan 9');
    expect(recently(local(2014, 10, 30), 'en', NOW)).toBe('11/30/2014');
  });

  it('a short time has no AM or PM', () => {
    expect(shortClock(local(2026, 2, 30, 13, 5), 'en')).toBe('1:05');
    expect(shortClock(local(2026, 2, 30, 13, 5), 'zh')).toBe('13:05');
  });
});
