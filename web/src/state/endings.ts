/** When something ends that somebody says of themselves: a length of time, or the end of a day or week here. */
export const ENDINGS = ['never', 'halfHour', 'hour', 'fourHours', 'today', 'week'] as const;
export type Ending = (typeof ENDINGS)[number];

const MINUTE_MS = 60_000;
const MINUTES: Partial<Record<Ending, number>> = { halfHour: 30, hour: 60, fourHours: 240 };

export function endOf(ending: Ending, now = new Date()): Date | null {
  const minutes = MINUTES[ending];
  if (minutes !== undefined) return new Date(now.getTime() + minutes * MINUTE_MS);
  if (ending === 'never') return null;
  const days = ending === 'today' ? 1 : daysToMonday(now);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
}

const daysToMonday = (now: Date): number => ((7 - now.getDay()) % 7) + 1;
