/**
 * A Vite plugin that builds the service worker beside the page: dist/sw.js, one classic script without imports.
 *
 * It is told what the page consists of (`__SHELL__`): every file that is needed offline, with the hash of its bytes.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { build, type Plugin, type ResolvedConfig } from 'vite';

const ENTRY = 'src/worker/worker.ts';
/** Files of the page that many never need, by their modules: they lie in a folder of their own. */
export const PARTS = /virtual:emoji\/|\/markdown\/highlight\.ts$/;
/**
 * Only the browser's own dialogs show screenshots, and never offline; the manifest bears the installation's name; parts
 * are kept once they have been asked for.
 */
const LEFT_OUT = /^(screenshots\/|assets\/parts\/|manifest\.webmanifest$|sw\.js$)|\.map$/;

export interface ShellFile {
  path: string;
  sha256: string;
}

export function serviceWorker(): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'fechatter:service-worker',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    async closeBundle() {
      await buildWorker(config.root, join(config.root, config.build.outDir));
    },
  };
}

async function buildWorker(root: string, dist: string): Promise<void> {
  const files = filesOf(dist);
  const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    define: { __SHELL__: JSON.stringify({ version, files }) },
    build: {
      target: 'es2022',
      outDir: dist,
      emptyOutDir: false,
      rolldownOptions: { input: join(root, ENTRY), output: { format: 'iife', entryFileNames: 'sw.js' } },
    },
  });
}

function filesOf(dist: string): ShellFile[] {
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(dist, file).split(sep).join('/'), sha256: hashOf(file) }))
    .filter(({ path }) => !LEFT_OUT.test(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
