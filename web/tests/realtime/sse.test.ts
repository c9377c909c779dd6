import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseParser, type Frame } from '../../src/realtime/sse';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): Frame[] => new SseParser().push(bytes(text));

describe('the SSE parser', () => {
  it('reads a frame with its type and its data', () => {
    expect(parse('id: c1\nevent: hello\ndata: {"a":1}\n\n')).toEqual([{ event: 'hello', data: '{"a":1}' }]);
  });

  it('joins several data lines, and takes only one space after the colon', () => {
    expect(parse('data:  one\ndata:two\ndata\n\n')).toEqual([{ event: 'message', data: ' one\ntwo\n' }]);
  });

  it('gives nothing for comments, heartbeats and blocks without data', () => {
    expect(parse(': heartbeat\n\n:\n\nevent: nothing\n\n')).toEqual([]);
  });

  it('keeps the last id, also of a block without data, and forgets an id with a NUL', () => {
    const parser = new SseParser();
    parser.push(bytes('id: 7\ndata: x\n\nid: 8\n\nid: 9\0\ndata: y\n\n'));
    expect(parser.lastId).toBe('8');
  });

  it('does not take an id before its block has ended', () => {
    const parser = new SseParser();
    parser.push(bytes('id: 7\ndata: x\n'));
    expect(parser.lastId).toBeNull();
  });

  it('gives nothing for a block that never ends', () => {
    expect(parse('data: half')).toEqual([]);
  });

  const line = fc.stringMatching(/^[^\r\n\0]{0,20}$/u);
  const block = fc.record({
    event: fc.constantFrom('message.created', 'hello'),
    data: fc.array(line, { minLength: 1 }),
  });
  const end = fc.constantFrom('\n', '\r\n', '\r');

  it('gives the same frames however the bytes are cut and the lines are ended', () => {
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 5 }),
        end,
        fc.array(fc.nat(7), { minLength: 1 }),
        (blocks, eol, cuts) => {
          const text = blocks.map((one) => textOf(one, eol)).join(`: beat 心跳${eol}`);
          const frames = cut(bytes(text), cuts).flatMap(
            (
              (parser) => (part) =>
                parser.push(part)
            )(new SseParser()),
          );
          const expected = blocks.map(({ event, data }) => ({ event, data: data.join('\n') }));
          // A lone CR at the very end may still become CRLF: its block is given with the next byte.
          expect(frames).toEqual(eol === '\r' ? expected.slice(0, frames.length) : expected);
          expect(expected.length - frames.length).toBeLessThanOrEqual(eol === '\r' ? 1 : 0);
        },
      ),
    );
  });
});

const textOf = ({ event, data }: { event: string; data: string[] }, eol: string): string =>
  `event: ${event}${eol}${data.map((text) => `data: ${text}${eol}`).join('')}${eol}`;

function cut(all: Uint8Array, sizes: number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < all.length; turn += 1) {
    const size = (sizes[turn % sizes.length] ?? 0) + 1;
    parts.push(all.subarray(at, at + size));
    at += size;
  }
  return parts;
}
