import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import wabt from 'wabt';
import { maximumChunk, minimumChunk, openChunker } from '../../../src/store/archiver/chunker.ts';
import { chunkerWasm } from '../../../src/store/archiver/chunker.wasm.ts';

const polynomial = 0x3da3358b4dc173n;
const known = Buffer.concat(Array.from({ length: 524_288 }, (_, i) => sha256(`cdc${i}`)));

describe('the chunker', () => {
  test('runs the WebAssembly text that stands beside it', async () => {
    const text = await readFile(new URL('../../../src/store/archiver/chunker.wat', import.meta.url), 'utf8');
    const compiler = await wabt();
    const compiled = compiler.parseWat('chunker.wat', text).toBinary({});
    expect(chunkerWasm).toBe(Buffer.from(compiled.buffer).toString('base64'));
  });

  test('cuts where stock restic cuts', () => {
    expect(sha256(known).toString('hex')).toMatch(/^cbc38a5d.*b2f4$/);
    expect(lengths(polynomial, known)).toEqual([
      1828004, 1069279, 1331473, 1775001, 699855, 936783, 992055, 2471290, 621694, 1941975, 1079626, 1539150, 491031,
    ]);
    expect(sha256(known.subarray(0, 1828004)).toString('hex')).toMatch(/^babf4067/);
    expect(lengths(0x3048ed6fcc156fn, known)).toEqual([
      2657646, 2630479, 1656493, 3057734, 2397814, 1088429, 900185, 2388436,
    ]);
    expect(sha256(known.subarray(0, 2657646)).toString('hex')).toMatch(/^df854bde.*baea$/);
  });

  test('cuts zeros at the minimum size', () => {
    const zeros = Buffer.alloc(minimumChunk * 2 + 5);
    expect(lengths(polynomial, zeros)).toEqual([minimumChunk, minimumChunk, 5]);
  });

  test('cuts at the maximum size where no byte asks for a cut', () => {
    const same = Buffer.alloc(maximumChunk + 1000, 7);
    expect(lengths(polynomial, same)).toEqual([maximumChunk, 1000]);
  });

  test('leaves a stream below the minimum size whole', () => {
    expect(lengths(polynomial, known.subarray(0, minimumChunk - 1))).toEqual([minimumChunk - 1]);
    expect(lengths(polynomial, Buffer.alloc(0))).toEqual([]);
  });

  test('cuts the same however the stream is handed over', () => {
    const whole = known.subarray(0, 3_000_000);
    const expected = lengths(polynomial, whole);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 40 }), (steps) => {
        expect(lengths(polynomial, whole, steps)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
    const oneChunk = known.subarray(0, 1_900_000);
    expect(lengths(polynomial, oneChunk, [1])).toEqual([1_828_004, 71_996]);
  });

  test('keeps streams apart that are in progress at once', () => {
    const open = openChunker(polynomial);
    const [one, two] = [open(), open()];
    one.next(known.subarray(0, 1_000_000));
    two.next(Buffer.alloc(600_000, 7));
    expect(one.next(known.subarray(1_000_000))).toEqual({ length: 828_004, cut: true });
  });
});

/** Lengths of the chunks of `data`, handed over in these steps (the last one repeats). */
function lengths(polynomial: bigint, data: Buffer, steps: readonly number[] = [data.length || 1]): number[] {
  const cutter = openChunker(polynomial)();
  const found: number[] = [];
  let open = 0;
  for (let at = 0, turn = 0; at < data.length; turn++) {
    const step = steps[Math.min(turn, steps.length - 1)] ?? 1;
    for (let rest = data.subarray(at, at + step); rest.length > 0; ) {
      const { length, cut } = cutter.next(rest);
      open += length;
      rest = rest.subarray(length);
      if (cut) found.push(open);
      if (cut) open = 0;
    }
    at += step;
  }
  return open > 0 ? [...found, open] : found;
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}
