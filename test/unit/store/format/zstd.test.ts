import { randomBytes } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compress, decompress, mayShrink } from '../../../../src/store/format/zstd.ts';

describe('zstd frames', () => {
  test('are what node:zlib reads, one after the other from one context', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.integer({ min: 1, max: 60 }), (piece, times) => {
        const bytes = Buffer.concat(Array.from({ length: times }, () => piece));
        const frame = compress(bytes);
        expect(zstdDecompressSync(frame)).toEqual(bytes);
        expect(decompress(frame, bytes.length)).toEqual(bytes);
        expect(decompress(zstdCompressSync(bytes), bytes.length)).toEqual(bytes);
      }),
    );
  });

  test('carry their content size, which readers use to make room', () => {
    compress(Buffer.alloc(5000, 1));
    const frame = compress(Buffer.alloc(300, 1));
    expect(frame.readUInt32LE()).toBe(0xfd2fb528);
    expect((frame[4] ?? 0) >> 6 !== 0 || ((frame[4] ?? 0) & 0x20) !== 0).toBe(true);
  });

  test.each([0, 1, 100, 256 * 1024, 8 * 1024 * 1024, 9 * 1024 * 1024])('take %i random bytes', (length) => {
    const bytes = randomBytes(length);
    expect(decompress(compress(bytes), length).equals(bytes)).toBe(true);
  });

  test('that are damaged are refused, and the next good one is read', () => {
    const bytes = Buffer.from('night '.repeat(3000));
    const frame = compress(bytes);
    for (const bad of [frame.subarray(0, -5), Buffer.alloc(50, 3), Buffer.alloc(0)]) {
      expect(() => decompress(bad, bytes.length)).toThrow(expect.objectContaining({ code: 'repository/damaged' }));
      expect(decompress(frame, bytes.length).equals(bytes)).toBe(true);
    }
    for (const length of [bytes.length - 1, bytes.length + 1]) {
      expect(() => decompress(frame, length)).toThrow(expect.objectContaining({ code: 'repository/damaged' }));
    }
  });

  test('are not tried on what is packed already', () => {
    expect(mayShrink(randomBytes(1_000_000))).toBe(false);
    expect(mayShrink(Buffer.alloc(1_000_000, 'text '))).toBe(true);
    expect(mayShrink(randomBytes(1000))).toBe(true);
  });
});
