/**
 * Times and days in the reader's language and time zone.
 *
 * clock            10:42 AM     shortClock without AM or PM          stamp      the whole date and time
 * dayOf            a key that is equal for moments of one local day; dayName: Today, Yesterday, or the date
 * dayStamp         the whole date                        timeIn     what time it is in a time zone
 * recently         as short as a list needs: the time today, else the day
 */

const formats = new Map<string, Intl.DateTimeFormat>();

export const clock = (at: string, locale: string): string =>
  format(locale, { timeStyle: 'short' }).format(new Date(at));

/** For where there is little room and the time stands beside its day. */
export const shortClock = (at: string, locale: string): string =>
  format(locale, { timeStyle: 'short' })
    .formatToParts(new Date(at))
    .filter((part) => part.type !== 'dayPeriod')
    .map((part) => part.value)
    .join('')
    .trim();

export const stamp = (at: string, locale: string): string =>
  format(locale, { dateStyle: 'full', timeStyle: 'short' }).format(new Date(at));

export const dayStamp = (at: string, locale: string): string =>
  format(locale, { dateStyle: 'long' }).format(new Date(at));

export function timeIn(timeZone: string, locale: string, now = new Date()): string {
  try {
    return format(locale, { hour: 'numeric', minute: '2-digit', timeZone, timeZoneName: 'short' }).format(now);
  } catch {
    // The server may know a time zone that this browser does not.
    return timeZone;
  }
}

export function dayOf(at: string | Date): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

export function dayName(at: string, locale: string, now = new Date()): string {
  const near = nearDay(at, locale, now);
  if (near !== null) return near;
  const sameYear = new Date(at).getFullYear() === now.getFullYear();
  const year = sameYear ? {} : ({ year: 'numeric' } as const);
  return format(locale, { weekday: 'long', month: 'long', day: 'numeric', ...year }).format(new Date(at));
}

export function recently(at: string, locale: string, now = new Date()): string {
  const date = new Date(at);
  if (dayOf(date) === dayOf(now)) return clock(at, locale);
  const near = nearDay(at, locale, now);
  if (near !== null) return near;
  if (date.getFullYear() === now.getFullYear()) return format(locale, { month: 'short', day: 'numeric' }).format(date);
  return format(locale, { year: 'numeric', month: 'numeric', day: 'numeric' }).format(date);
}

function nearDay(at: string, locale: string, now: Date): string | null {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  const days = dayOf(at) === dayOf(now) ? 0 : dayOf(at) === dayOf(yesterday) ? -1 : null;
  if (days === null) return null;
  const words = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(days, 'day');
  return words.charAt(0).toLocaleUpperCase(locale) + words.slice(1);
}

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, known);
  return known;
}
