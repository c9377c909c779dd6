/**
 * Answers that are not older than what was heard while they were on their way.
 *
 * fresh            the answer; asked for again if an event that bears on it came meanwhile
 */
import type { ServerEvent } from '../realtime/events';
import type { Replica } from './replica.svelte';

export async function fresh<T>(
  replica: Pick<Replica, 'onEvent'>,
  bears: (event: ServerEvent) => boolean,
  ask: () => Promise<T>,
): Promise<T> {
  for (;;) {
    let isOld = false;
    const stop = replica.onEvent((event) => {
      isOld ||= bears(event);
    });
    try {
      const answer = await ask();
      if (!isOld) return answer;
    } finally {
      stop();
    }
  }
}
