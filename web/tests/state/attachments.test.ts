import { describe, expect, it } from 'vitest';
import { ApiError, NetworkError } from '../../src/api/http';
import type { FileInfo } from '../../src/api/types';
import type { Upload } from '../../src/api/upload';
import { Attachments } from '../../src/state/attachments.svelte';

const stored = (id: number): FileInfo =>
  ({ id, name: `f${id}`, mime_type: 'image/png', size: 1, url: `/api/files/${id}` }) as FileInfo;
const file = (name: string, bytes = 10): File => new File([new Uint8Array(bytes)], name);
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

function setUp(answer: (upload: Upload, number: number) => Promise<FileInfo>) {
  const uploads: Upload[] = [];
  const attachments = new Attachments({
    credentials: { token: () => Promise.resolve('t1'), renew: () => Promise.resolve('t2') },
    workspaceOf: () => 5,
    limits: () => ({ file_bytes: 100, files_per_message: 2 }),
    locale: () => 'en',
    send: (upload) => {
      uploads.push(upload);
      return answer(upload, uploads.length);
    },
  });
  return { attachments, uploads };
}

describe('files for the next message', () => {
  it('tell how far they are, and go with the message in the order they were chosen', async () => {
    const { attachments, uploads } = setUp(({ onProgress }, number) => {
      onProgress(0.5);
      return new Promise((resolve) => setTimeout(() => resolve(stored(number)), number === 1 ? 5 : 0));
    });
    attachments.add(1, [file('a'), file('b')]);
    await settled();
    expect(attachments.of(1)[0]).toMatchObject({ name: 'a', done: 0.5, file: null });
    expect(attachments.isBusy(1)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(attachments.isBusy(1)).toBe(false);
    expect(uploads[0]).toMatchObject({ workspaceId: 5, token: 't1' });
    expect(attachments.take(1).map((one) => one.id)).toEqual([1, 2]);
    expect(attachments.of(1)).toEqual([]);
  });

  it('that are too large or too many never go up', async () => {
    const { attachments, uploads } = setUp((_, number) => Promise.resolve(stored(number)));
    attachments.add(1, [file('huge', 101), file('a'), file('b'), file('c')]);
    await settled();
    expect(uploads).toHaveLength(2);
    expect(attachments.of(1).map((item) => item.problem)).toEqual(['files.tooLarge', null, null, 'files.tooMany']);
  });

  it('are taken back while they go up', async () => {
    const { attachments, uploads } = setUp(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stop')))),
    );
    attachments.add(1, [file('a')]);
    await settled();
    attachments.cancel(attachments.of(1)[0]?.key ?? 0);
    await settled();
    expect(uploads[0]?.signal.aborted).toBe(true);
    expect(attachments.of(1)).toEqual([]);
  });

  it('say why they did not get there', async () => {
    const { attachments } = setUp((_, number) =>
      Promise.reject(number === 1 ? new ApiError(413, 'too_large', 'x') : new NetworkError('x')),
    );
    attachments.add(1, [file('a'), file('b')]);
    await settled();
    expect(attachments.of(1).map((item) => item.problem)).toEqual(['files.tooLarge', 'files.failed']);
    expect(attachments.isBusy(1)).toBe(false);
  });

  it('go up once more when the token was spent', async () => {
    const { attachments, uploads } = setUp((_, number) =>
      number === 1 ? Promise.reject(new ApiError(401, 'token_expired', 'x')) : Promise.resolve(stored(1)),
    );
    attachments.add(1, [file('a')]);
    await settled();
    expect(uploads.map((upload) => upload.token)).toEqual(['t1', 't2']);
    expect(attachments.of(1)[0]?.file?.id).toBe(1);
  });
});
