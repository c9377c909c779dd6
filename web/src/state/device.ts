/**
 * What this device keeps between visits, in local storage. Nothing there is secret.
 *
 * recall, keep     one text under a name; `null` takes it away
 * namesOf          the names that begin so
 */
const PREFIX = 'fechatter.';
let isSaid = false;

export function recall(name: string): string | null {
  return attempt(() => localStorage.getItem(PREFIX + name)) ?? null;
}

/** A browser may forbid storage, or have no room: then a thing lasts as long as the page. */
export function keep(name: string, value: string | null): void {
  attempt(() => {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  });
}

export function namesOf(beginning: string): string[] {
  const names = attempt(() => Object.keys(localStorage)) ?? [];
  return names.filter((name) => name.startsWith(PREFIX + beginning)).map((name) => name.slice(PREFIX.length));
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    if (!isSaid) console.info('This browser keeps nothing between visits.');
    isSaid = true;
    return undefined;
  }
}
