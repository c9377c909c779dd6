import { describe, expect, it } from 'vitest';
import type { ServerEvent } from '../../src/realtime/events';
import { fresh } from '../../src/state/fresh';
import { AT } from '../things';

const EVENT: ServerEvent = { type: 'unknown', stream: 'chat:1', pos: 1, chat_id: 1, at: AT, payload: null };

/** Something that answers 1, 2, 3, …, and before each answer of `noisy` tells of an event. */
function place(noisy: (time: number) => boolean) {
  const hearers = new Set<(event: ServerEvent) => void>();
  let times = 0;
  return {
    onEvent: (hear: (event: ServerEvent) => void) => {
      hearers.add(hear);
      return () => void hearers.delete(hear);
    },
    ask: () => {
      times += 1;
      if (noisy(times)) for (const hear of hearers) hear(EVENT);
      return Promise.resolve(times);
    },
    hearers,
  };
}

describe('an answer', () => {
  it('that something overtook is asked for again', async () => {
    const { onEvent, ask, hearers } = place((time) => time === 1);
    expect(await fresh({ onEvent }, () => true, ask)).toBe(2);
    expect(hearers.size).toBe(0);
  });

  it('is taken at once when what happened has nothing to do with it', async () => {
    const { onEvent, ask } = place(() => true);
    expect(await fresh({ onEvent }, () => false, ask)).toBe(1);
  });

  it('is taken in the end also where something is always going on', async () => {
    const { onEvent, ask, hearers } = place(() => true);
    expect(await fresh({ onEvent }, () => true, ask)).toBe(3);
    expect(hearers.size).toBe(0);
  });
});
