/** A Vite plugin that says how heavy the page is: gzip size of each script, and of all that the first screen loads. */
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const BUDGET = 120 * 1024;

interface Chunk {
  fileName: string;
  code: string;
  isEntry: boolean;
  imports: string[];
}

export function sizes(): Plugin {
  return {
    name: 'fechatter:sizes',
    apply: 'build',
    writeBundle(_options, bundle) {
      const chunks: Chunk[] = Object.values(bundle).filter((part) => part.type === 'chunk');
      const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
      const first = new Set<string>();
      const visit = (name: string): void => {
        if (first.has(name)) return;
        first.add(name);
        byName.get(name)?.imports.forEach(visit);
      };
      chunks.filter((chunk) => chunk.isEntry).forEach((chunk) => visit(chunk.fileName));
      report(chunks, first);
    },
  };
}

function report(chunks: Chunk[], first: Set<string>): void {
  let total = 0;
  for (const chunk of chunks) {
    const bytes = gzipSync(chunk.code, { level: 9 }).length;
    if (first.has(chunk.fileName)) total += bytes;
    console.log(`${first.has(chunk.fileName) ? 'first' : 'later'}  ${kib(bytes)}  ${chunk.fileName}`);
  }
  console.log(`JavaScript at first load: ${kib(total)} gzip of ${kib(BUDGET)}`);
  if (total > BUDGET) throw new Error('The first load is over its budget: load something later.');
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
