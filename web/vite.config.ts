import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { emoji } from './build/emoji.ts';
import { PARTS, serviceWorker } from './build/serviceWorker.ts';
import { sizes } from './build/sizes.ts';

const server = process.env['FECHATTER_URL'] ?? 'http://127.0.0.1:6688';

export default defineConfig({
  plugins: [svelte(), emoji(), sizes(), serviceWorker()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        chunkFileNames: ({ facadeModuleId }) =>
          `assets/${PARTS.test(facadeModuleId ?? '') ? 'parts/' : ''}[name]-[hash].js`,
      },
    },
  },
  server: { host: '127.0.0.1', proxy: { '/api': server } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node', restoreMocks: true, testTimeout: 60_000 },
});
