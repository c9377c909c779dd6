/**
 * A Vite plugin that gives `virtual:emoji/<language>`: the emoji with their names and words, without what the page has
 * no use for. One row an emoji: the character, its short names, its label, other words for it, its group.
 */
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';

interface Entry {
  hexcode: string;
  unicode: string;
  label: string;
  tags?: string[];
  group?: number;
  order?: number;
}

const PREFIX = 'virtual:emoji/';
/** Skin tones and hair as such: parts of other emoji. */
const COMPONENTS = 2;
const need = createRequire(import.meta.url);

export function emoji(): Plugin {
  return {
    name: 'fechatter:emoji',
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    load: (id) => (id.startsWith(`\0${PREFIX}`) ? moduleOf(id.slice(PREFIX.length + 1)) : undefined),
  };
}

function moduleOf(language: string): string {
  const entries = need(`emojibase-data/${language}/compact.json`) as Entry[];
  const codes = need('emojibase-data/en/shortcodes/github.json') as Record<string, string | string[]>;
  const rows = entries
    .filter((entry) => entry.group !== undefined && entry.group !== COMPONENTS)
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map(({ hexcode, unicode, label, tags, group }) => [
      unicode,
      [codes[hexcode] ?? label.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '_')].flat().join(' '),
      label,
      (tags ?? []).join(' '),
      group,
    ]);
  return `export default JSON.parse(${JSON.stringify(JSON.stringify(rows))});`;
}
