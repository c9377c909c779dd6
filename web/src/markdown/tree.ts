/**
 * What a text means, before it is drawn.
 *
 * Block            a paragraph, heading, list …    Mark   a piece of a line, or where emphasis or a link begins and ends
 */

export type Emphasis = 'em' | 'strong' | 's';

/** Flat: `open` and `link` hold until their `close`. They nest, and never cross. */
export type Mark =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'mention'; name: string }
  | { kind: 'channel'; name: string }
  | { kind: 'break' }
  | { kind: 'open'; tag: Emphasis }
  | { kind: 'link'; href: string }
  | { kind: 'close' };

export type Align = 'start' | 'center' | 'end' | null;

/** `isDone` is null for an item that is no task. */
export interface Item {
  isDone: boolean | null;
  blocks: Block[];
}

export type Block =
  | { kind: 'paragraph'; marks: Mark[] }
  | { kind: 'heading'; level: number; marks: Mark[] }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'quote'; blocks: Block[] }
  | { kind: 'list'; start: number | null; items: Item[] }
  | { kind: 'table'; aligns: Align[]; head: Mark[][]; rows: Mark[][][] }
  | { kind: 'rule' };
