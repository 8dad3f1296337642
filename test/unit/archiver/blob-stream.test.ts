import { expect, test } from 'vitest';
import { openChunkBuffers, openChunkedStream } from '../../../src/store/archiver/blob-stream.ts';
import { openChunker } from '../../../src/store/archiver/chunker.ts';

const polynomial = 0x3da3358b4dc173n;

test('a short content takes a short buffer, and one that is longer a usual one', () => {
  const buffers = openChunkBuffers();
  expect([1, 64 * 1024, 64 * 1024 + 1, 1_500_000].map((length) => buffers.take(length).length)).toEqual([
    64 * 1024,
    64 * 1024,
    1024 * 1024,
    2 * 1024 * 1024,
  ]);
});

test('a content that comes in parts and outgrows its buffers is one blob until it is cut', () => {
  const blobs: Buffer[] = [];
  const whole = Buffer.from(Array.from({ length: 400_000 }, (_, at) => (at * 7) % 251));
  const stream = openChunkedStream(openChunker(polynomial), openChunkBuffers(), (blob) =>
    blobs.push(Buffer.from(blob)),
  );
  for (let at = 0; at < whole.length; at += 30_000) stream.write(whole.subarray(at, at + 30_000));
  stream.end(new Uint8Array());
  expect(blobs).toHaveLength(1);
  expect(blobs[0]?.equals(whole)).toBe(true);
});
