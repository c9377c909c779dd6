/** Tables: a row of heads, a row of dashes that says how columns are aligned, and rows as long as there are bars. */
import type { Lines } from './blocks';
import { inline } from './inline';
import type { Align, Block } from './tree';

const DASHES = /^(:?)-+(:?)$/;
const COLUMNS_MAX = 50;
/** Short rows are filled up to the heads, but not where a short text would become a page of empty cells. */
const FILLED_MAX = 5_000;

export function readTable(lines: Lines): Block | null {
  const next = lines.all[lines.at + 1];
  if (next === undefined || !lines.now.includes('|') || !next.includes('-') || !next.includes('|')) return null;
  const [head, dashes] = [cellsOf(lines.now), cellsOf(next)];
  const isTable =
    head.length === dashes.length && head.length <= COLUMNS_MAX && dashes.every((cell) => DASHES.test(cell));
  if (!isTable) return null;
  lines.at += 2;
  const rows = lines.takeWhile((line) => line.includes('|')).map((line) => cellsOf(line).slice(0, head.length));
  const isFilled = rows.length * head.length <= FILLED_MAX;
  return {
    kind: 'table',
    aligns: dashes.map(alignOf),
    head: head.map(inline),
    rows: rows.map((row) => (isFilled ? head : row).map((_, column) => inline(row[column] ?? ''))),
  };
}

function cellsOf(line: string): string[] {
  const cells = line.trim().split(/(?<!\\)\|/);
  if (cells[0] === '') cells.shift();
  if (cells.at(-1) === '') cells.pop();
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function alignOf(cell: string): Align {
  const [, left, right] = DASHES.exec(cell) ?? [];
  if (right) return left ? 'center' : 'end';
  return left ? 'start' : null;
}
