/** How long to wait before try number `attempt` (0, 1, 2 …): doubles up to `max`, with jitter against stampedes. */
export function backoff(attempt: number, base = 500, max = 30_000, random: () => number = Math.random): number {
  const full = Math.min(max, base * 2 ** attempt);
  return full / 2 + (full / 2) * random();
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
