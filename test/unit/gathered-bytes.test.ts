import { describe, expect, test } from 'vitest';
import { openGatheredBytes } from '../../src/gathered-bytes.ts';
import { readAnswer } from '../../src/oidc/bounded-answer.ts';
import { bodyStream } from '../../src/sources/http/body-stream.ts';
import { openResponseReader } from '../../src/sources/imap/response-reader.ts';

const content = Buffer.from(Array.from({ length: 50_000 }, (_, at) => 97 + (at % 23)));
/** One piece, filled anew each time: whoever keeps it has the last byte alone. */
const byteByByte = (take: (piece: Buffer) => void) => {
  const piece = Buffer.alloc(1);
  for (const byte of content) {
    piece[0] = byte;
    take(piece);
  }
};

describe('bytes that come in pieces', () => {
  test.each([1, 7, 4_095, 4_096, 4_097, 50_000])('of %i are the same in their order', (length) => {
    const gathered = openGatheredBytes();
    const taken: Uint8Array[] = [];
    for (let at = 0; at < content.length; at += length) {
      gathered.add(content.subarray(at, at + length));
      if (at % 3 === 0) taken.push(...gathered.take());
    }
    expect(Buffer.concat([...taken, ...gathered.take()]).equals(content)).toBe(true);
    expect(gathered.take()).toEqual([]);
  });

  test('of one are few', () => {
    const gathered = openGatheredBytes();
    byteByByte(gathered.add);
    expect(gathered.take().length).toBeLessThan(content.length / 3_000);
  });

  test('of all sizes are few, whatever the order', () => {
    const gathered = openGatheredBytes();
    let bytes = 0;
    for (let at = 0; at < 1_000; at++) {
      const piece = Buffer.alloc([1, 4_095, 2, 5_000, 3_000][at % 5] ?? 0);
      bytes += piece.length;
      gathered.add(piece);
    }
    const blocks = new Set(gathered.take().map(({ buffer }) => buffer));
    expect([...blocks].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(3 * bytes);
  });
});

describe('one byte at a time takes no room of its own', () => {
  test('in a literal of a mail server', () => {
    const reader = openResponseReader();
    reader.push(Buffer.from(`* {${content.length}}\r\n`));
    byteByByte((piece) => {
      reader.push(piece);
      reader.take();
    });
    reader.push(Buffer.from('\r\n'));
    expect(reader.take()?.literals[0]?.equals(content)).toBe(true);
  });

  test('in a file of a server', async () => {
    const flow = { pause: () => {}, resume: () => {}, stop: () => {} };
    const receiver = bodyStream(flow, () => {});
    byteByByte(receiver.data);
    receiver.end();
    const read = await Array.fromAsync(receiver.early?.read() ?? []);
    expect(Buffer.concat(read).equals(content)).toBe(true);
  });

  test('in an answer of the provider', async () => {
    async function* body() {
      const piece = Buffer.alloc(1);
      for (const byte of content) {
        piece[0] = byte;
        yield piece;
      }
    }
    expect(await readAnswer(body(), content.length)).toBe(content.toString());
  });
});
