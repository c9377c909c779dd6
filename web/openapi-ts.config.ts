/** `npm run gen`: types of the API out of the document the server gives at /openapi.json (or OPENAPI names a file). */
import { defineConfig } from '@hey-api/openapi-ts';

export default defineConfig({
  input: process.env['OPENAPI'] ?? 'http://127.0.0.1:6688/openapi.json',
  output: { path: 'src/api/generated', clean: true },
  plugins: ['@hey-api/typescript'],
});
