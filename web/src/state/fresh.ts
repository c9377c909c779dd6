/**
 * Answers that are not older than what was heard while they were on their way.
 *
 * fresh            the answer; asked for again if an event that bears on it came meanwhile, but not for ever
 */
import type { ServerEvent } from '../realtime/events';
import type { Replica } from './replica.svelte';

/** Where something is always going on, the last answer must do. */
const TIMES = 3;

export async function fresh<T>(
  replica: Pick<Replica, 'onEvent'>,
  bears: (event: ServerEvent) => boolean,
  ask: () => Promise<T>,
): Promise<T> {
  for (let time = 1; ; time += 1) {
    let isOld = false;
    const stop = replica.onEvent((event) => {
      isOld ||= bears(event);
    });
    try {
      const answer = await ask();
      if (!isOld || time === TIMES) return answer;
    } finally {
      stop();
    }
  }
}
