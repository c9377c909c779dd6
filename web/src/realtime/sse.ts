/**
 * Server-sent events out of bytes, however they are cut.
 *
 * SseParser       push(bytes) gives the frames that are complete; comments and heartbeats give none
 */

export interface Frame {
  event: string;
  data: string;
}

const CR = '\r';

export class SseParser {
  /** The last `id:` seen, where the stream can be taken up again; null before the first. */
  lastId: string | null = null;
  private readonly decoder = new TextDecoder();
  private rest = '';
  private event = '';
  private data: string[] = [];
  private id: string | null = null;

  push(bytes: Uint8Array): Frame[] {
    this.rest += this.decoder.decode(bytes, { stream: true });
    const frames: Frame[] = [];
    for (let line = this.takeLine(); line !== null; line = this.takeLine()) {
      const frame = this.read(line);
      if (frame) frames.push(frame);
    }
    return frames;
  }

  /** The next whole line. A CR at the very end waits: an LF may follow it. */
  private takeLine(): string | null {
    const end = this.rest.search(/[\r\n]/);
    if (end < 0) return null;
    const isCr = this.rest[end] === CR;
    if (isCr && end === this.rest.length - 1) return null;
    const line = this.rest.slice(0, end);
    this.rest = this.rest.slice(end + (isCr && this.rest[end + 1] === '\n' ? 2 : 1));
    return line;
  }

  private read(line: string): Frame | null {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.event = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    return null;
  }

  private dispatch(): Frame | null {
    if (this.id !== null) this.lastId = this.id;
    const frame = this.data.length > 0 ? { event: this.event || 'message', data: this.data.join('\n') } : null;
    this.event = '';
    this.data = [];
    return frame;
  }
}
