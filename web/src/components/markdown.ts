/**
 * Markdown into safe elements. HTML in a message is text; what is made of it is sanitised once more before it is shown.
 *
 * render           a fragment to put into the page
 * plain            the same text in one line, for previews and for speaking
 */
import DOMPurify from 'dompurify';
import MarkdownIt from 'markdown-it';

const CACHE_MAX = 300;
const TAGS =
  'p br strong em s del code pre blockquote ul ol li a h1 h2 h3 h4 h5 h6 hr table thead tbody tr th td'.split(' ');
const MENTION = /(?<![\p{L}\p{N}_@.-])@[\p{L}\p{N}](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_])?/gu;

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true }).disable('image');
parser.linkify.set({ fuzzyEmail: false });
const cache = new Map<string, string>();

export function render(text: string, mentions: boolean): DocumentFragment {
  const fragment = DOMPurify.sanitize(toHtml(text), {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ['href', 'start'],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const link of fragment.querySelectorAll('a')) outside(link);
  if (mentions) markMentions(fragment);
  return fragment;
}

export function plain(text: string): string {
  return text
    .replace(/```\w*/g, ' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^[#>\s]+|[*~`]{1,3}(?=\S)|(?<=\S)[*~`]{1,3}|(?<![\p{L}\p{N}])_+(?=\S)|(?<=\S)_+(?![\p{L}\p{N}])/gmu, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function toHtml(text: string): string {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const html = parser.render(text);
  cache.set(text, html);
  for (const oldest of cache.keys()) {
    if (cache.size <= CACHE_MAX) break;
    cache.delete(oldest);
  }
  return html;
}

/** A link leads out of the page, in a tab of its own that cannot reach back. */
function outside(link: HTMLAnchorElement): void {
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
}

function markMentions(fragment: DocumentFragment): void {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) {
    if (!text.parentElement?.closest('code, a')) splitMentions(text);
  }
}

function splitMentions(text: Text): void {
  for (const match of [...text.data.matchAll(MENTION)].reverse()) {
    const found = text.splitText(match.index);
    found.splitText(match[0].length);
    const mark = document.createElement('span');
    mark.className = 'mention';
    found.replaceWith(mark);
    mark.append(found);
  }
}
