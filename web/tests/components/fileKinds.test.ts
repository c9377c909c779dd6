import { describe, expect, it } from 'vitest';
import { fitted, kindOf } from '../../src/components/fileKinds';
import { sizeOf } from '../../src/i18n/sizes';

describe('files', () => {
  it.each([
    ['image/png', 'picture'],
    ['image/svg+xml', 'other'],
    ['image/tiff', 'other'],
    ['audio/mpeg', 'sound'],
    ['video/mp4', 'film'],
    ['application/pdf', 'pdf'],
    ['text/html', 'other'],
  ])('of type %s are shown as %s', (mime_type, kind) => expect(kindOf({ mime_type })).toBe(kind));

  it('that are pictures fit their box, never larger than life', () => {
    expect(fitted({ width: 4000, height: 2000 }, 360, 280)).toEqual([360, 180]);
    expect(fitted({ width: 100, height: 5000 }, 360, 280)).toEqual([6, 280]);
    expect(fitted({ width: 20, height: 10 }, 360, 280)).toEqual([20, 10]);
    expect(fitted({ width: null, height: null }, 360, 280)).toEqual([280, 280]);
    expect(fitted({ width: 9000, height: 1 }, 360, 280)).toEqual([360, 1]);
  });

  it('have a size one can read', () => {
    expect([0, 532, 12_000, 3_400_000, 104_857_600].map((bytes) => sizeOf(bytes, 'en'))).toEqual([
      '0 bytes',
      '532 bytes',
      '12 kB',
      '3.4 MB',
      '105 MB',
    ]);
    expect(sizeOf(3_400_000, 'zh')).toMatch(/^3\.4\s?(MB|兆字节)$/);
  });
});
