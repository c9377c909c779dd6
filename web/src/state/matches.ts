/** Names that answer to what somebody types: those that begin so first, then those with a word that does, then the rest. */

const NONE = 3;

/** Keeps the given order among equals; an empty query keeps everything. */
export function matching<T>(items: readonly T[], nameOf: (item: T) => string, query: string, locale: string): T[] {
  const wanted = query.trim().toLocaleLowerCase(locale);
  return items
    .map((item) => ({ item, rank: rankOf(nameOf(item).toLocaleLowerCase(locale), wanted) }))
    .filter(({ rank }) => rank < NONE)
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

function rankOf(name: string, wanted: string): number {
  if (name.startsWith(wanted)) return 0;
  if (name.split(/[\s\-_.]+/u).some((word) => word.startsWith(wanted))) return 1;
  return name.includes(wanted) ? 2 : NONE;
}
