/** How a file is shown, by the type that the server found in its content; and how large a picture is drawn. */
import type { FileInfo } from '../api/types';

export type FileKind = 'picture' | 'sound' | 'film' | 'pdf' | 'other';

/** Those that every browser of today draws. */
const PICTURES = /^image\/(?:png|jpeg|gif|webp|avif)$/;

export function kindOf({ mime_type }: Pick<FileInfo, 'mime_type'>): FileKind {
  if (PICTURES.test(mime_type)) return 'picture';
  if (mime_type.startsWith('audio/')) return 'sound';
  if (mime_type.startsWith('video/')) return 'film';
  return mime_type === 'application/pdf' ? 'pdf' : 'other';
}

/** What stands on its card: the end of its name if that is short, else a dot. */
export function extensionOf(name: string): string {
  return /\.([A-Za-z0-9]{1,4})$/.exec(name)?.[1] ?? '·';
}

/** Width and height in pixels within a box, never larger than life; a square where the size is not known. */
export function fitted(
  file: Pick<FileInfo, 'width' | 'height'>,
  maxWidth: number,
  maxHeight: number,
): [number, number] {
  const [width, height] = [file.width ?? 0, file.height ?? 0];
  if (width <= 0 || height <= 0) return [Math.min(maxWidth, maxHeight), Math.min(maxWidth, maxHeight)];
  const scale = Math.min(1, maxWidth / width, maxHeight / height);
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}
