/**
 * What people write, as elements of the page and in one line. No HTML is ever read: a text becomes a tree, and the tree
 * becomes elements one by one.
 *
 * render           a fragment to put into the page
 * plain            the same text in one line, for previews and for speaking
 * bare             a piece of a text without the marks that can be told there, for excerpts
 * isEmojiOnly      a few emoji and nothing else, which are drawn large
 */
import { parse } from './blocks';
import { draw, type Drawing } from './draw';
import type { Block } from './tree';

const CACHE_MAX = 300;
const EMOJI_MOST = 60;
const EMOJI =
  /^(?:(?:\p{Regional_Indicator}{2}|[0-9#*]\ufe0f\u20e3|(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Extended_Pictographic}(?=\p{Emoji_Modifier}))\p{Emoji_Modifier}?(?:\u200d\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)*\ufe0f?)\s*){1,6}$/u;

const cache = new Map<string, readonly Block[]>();

export function render(text: string, drawing: Drawing): DocumentFragment {
  return draw(treeOf(text), drawing);
}

export function plain(text: string): string {
  return text
    .replace(/```\w*/g, ' ')
    .replace(/\[([^\][]*)\]\([^()\s]*\)/g, '$1')
    .replace(/^[#>\s]+|[*~`]{1,3}(?=\S)|(?<=\S)[*~`]{1,3}|(?<![\p{L}\p{N}])_+(?=\S)|(?<=\S)_+(?![\p{L}\p{N}])/gmu, '')
    .replace(/\s+/g, ' ')
    .trim();
}

export function bare(text: string): string {
  return text
    .replace(/(?<![\p{Script=Latin}\p{N}])(?:\*\*|~~|`+)|(?:\*\*|~~|`+)(?![\p{Script=Latin}\p{N}])/gu, '')
    .replace(/\n{2,}/g, '\n');
}

export function isEmojiOnly(text: string): boolean {
  return text.length <= EMOJI_MOST && EMOJI.test(text.trim());
}

/** A row that scrolls out and in again is not read twice. */
function treeOf(text: string): readonly Block[] {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const blocks = parse(text);
  cache.set(text, blocks);
  for (const oldest of cache.keys()) {
    if (cache.size <= CACHE_MAX) break;
    cache.delete(oldest);
  }
  return blocks;
}
