/**
 * Blocks as elements. Each element is made here by its name and gets its text as text: whatever is written, nothing
 * else can come into the page than what this file makes, so there is nothing to sanitise.
 *
 * draw             a fragment to put into the page
 */
import type { Align, Block, Item, Mark } from './tree';

export interface Drawing {
  /** The person that a name means, if this message mentions them; `me` for oneself. */
  mention: (name: string) => 'me' | 'other' | null;
  /** The address of the channel that a name means, if one knows it. */
  channel: (name: string) => string | null;
  /** How a task is called that is done, or is not. */
  task: (isDone: boolean) => string;
}

/** Emphasis within emphasis deeper than this is not drawn: a page of nothing else would stall the browser. */
const DEEPEST = 16;

export function draw(blocks: readonly Block[], drawing: Drawing): DocumentFragment {
  const fragment = document.createDocumentFragment();
  for (const block of blocks) fragment.append(drawBlock(block, drawing));
  return fragment;
}

function drawBlock(block: Block, drawing: Drawing): HTMLElement {
  switch (block.kind) {
    case 'paragraph':
      return drawMarks(element('p'), block.marks, drawing);
    case 'heading':
      // A message is no chapter of the page: how it is headed does not belong to the outline.
      return drawMarks(element('p', `heading h${block.level}`), block.marks, drawing);
    case 'code':
      return drawCode(block.language, block.text);
    case 'quote':
      return filled(element('blockquote'), [draw(block.blocks, drawing)]);
    case 'list':
      return drawList(block.start, block.items, drawing);
    case 'table':
      return drawTable(block, drawing);
    case 'rule':
      return element('hr');
  }
}

function drawCode(language: string, text: string): HTMLElement {
  const code = filled(element('code'), [text]);
  if (/^[\w+#.-]{1,20}$/.test(language)) code.dataset['language'] = language;
  return filled(element('pre'), [code]);
}

function drawList(start: number | null, items: readonly Item[], drawing: Drawing): HTMLElement {
  const list = element(start === null ? 'ul' : 'ol');
  if (start !== null && start !== 1) list.setAttribute('start', String(start));
  return filled(
    list,
    items.map((item) => drawItem(item, drawing)),
  );
}

/** An item's first paragraph stands beside its mark. */
function drawItem({ isDone, blocks }: Item, drawing: Drawing): HTMLElement {
  const item = element('li', isDone === null ? undefined : 'task');
  if (isDone !== null) item.append(checkbox(isDone, drawing.task(isDone)));
  const [first, ...rest] = blocks;
  if (first?.kind === 'paragraph') drawMarks(item, first.marks, drawing);
  else if (first) rest.unshift(first);
  return filled(item, [draw(rest, drawing)]);
}

function checkbox(isDone: boolean, label: string): HTMLElement {
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.checked = isDone;
  box.disabled = true;
  box.setAttribute('aria-label', label);
  return box;
}

function drawTable({ aligns, head, rows }: Extract<Block, { kind: 'table' }>, drawing: Drawing): HTMLElement {
  const row = (name: 'th' | 'td', cells: Mark[][]): HTMLElement =>
    filled(
      element('tr'),
      cells.map((marks, column) => drawMarks(aligned(element(name), aligns[column] ?? null), marks, drawing)),
    );
  const heads = filled(element('thead'), [row('th', head)]);
  const body = filled(
    element('tbody'),
    rows.map((cells) => row('td', cells)),
  );
  const table = filled(element('table'), rows.length > 0 ? [heads, body] : [heads]);
  return filled(element('div', 'table'), [table]);
}

function aligned(cell: HTMLElement, align: Align): HTMLElement {
  if (align !== null) cell.classList.add(align);
  return cell;
}

function drawMarks(parent: HTMLElement, marks: readonly Mark[], drawing: Drawing): HTMLElement {
  const stack: HTMLElement[] = [parent];
  let link: number | null = null;
  for (const mark of marks) {
    const top = stack.at(-1) ?? parent;
    if (mark.kind === 'close') {
      if (stack.length > 1) stack.pop();
      if (link !== null && stack.length <= link) link = null;
      continue;
    }
    const drawn = drawMark(mark, drawing, { inLink: link !== null, isDeep: stack.length > DEEPEST });
    if (drawn !== null) top.append(drawn);
    if (mark.kind === 'link' && link === null) link = stack.length;
    if (mark.kind === 'open' || mark.kind === 'link') stack.push(drawn instanceof HTMLElement ? drawn : top);
  }
  return parent;
}

interface Around {
  inLink: boolean;
  isDeep: boolean;
}

/** Null: it holds others and is not drawn itself. No link stands within a link. */
function drawMark(mark: Exclude<Mark, { kind: 'close' }>, drawing: Drawing, around: Around): Node | string | null {
  switch (mark.kind) {
    case 'text':
      return mark.text;
    case 'code':
      return filled(element('code'), [mark.text]);
    case 'break':
      return element('br');
    case 'open':
      return around.isDeep ? null : element(mark.tag);
    case 'link':
      return around.inLink || around.isDeep ? null : outside(mark.href);
    case 'mention':
      return around.inLink ? `@${mark.name}` : drawMention(mark.name, drawing);
    case 'channel':
      return around.inLink ? `#${mark.name}` : drawChannel(mark.name, drawing);
  }
}

function drawMention(name: string, drawing: Drawing): Node | string {
  const who = drawing.mention(name);
  if (who === null) return `@${name}`;
  return filled(element('span', who === 'me' ? 'mention me' : 'mention'), [`@${name}`]);
}

function drawChannel(name: string, drawing: Drawing): Node | string {
  const address = drawing.channel(name);
  return address === null ? `#${name}` : filled(outside(address), [`#${name}`]);
}

/** A link leads out of the page, in a tab of its own that cannot reach back; one to a chat stays in the page. */
function outside(href: string): HTMLAnchorElement {
  const link = document.createElement('a');
  link.href = href;
  if (link.origin === location.origin && link.pathname.startsWith('/chats/')) return link;
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
  return link;
}

function element(name: keyof HTMLElementTagNameMap, className?: string): HTMLElement {
  const made = document.createElement(name);
  if (className !== undefined) made.className = className;
  return made;
}

function filled(parent: HTMLElement, children: readonly (Node | string)[]): HTMLElement {
  parent.append(...children);
  return parent;
}
