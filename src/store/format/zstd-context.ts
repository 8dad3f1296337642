import { constants, type ZstdCompress, type ZstdDecompress } from 'node:zlib';

/** A compressor or decompressor that is kept from one frame to the next. */
export interface ZstdContext {
  /**
   * Writes the result into `buffer`, which must have one byte more than the result needs, and returns its length; undefined
   * when it did not fit, is no frame, or is not of the length expected.
   */
  run(input: Uint8Array, buffer: Uint8Array, expected?: number): number | undefined;
}

/**
 * The context below a zlib stream. `zstdCompressSync` makes a context for each call, which costs more than it takes to compress
 * a small blob; the streams keep theirs but work asynchronously. The binding below them is synchronous but not documented: so it
 * must look as expected and prove itself on a frame first. Undefined where it does not; the documented way does the same, slower.
 */
export function openZstdContext(open: () => ZstdCompress | ZstdDecompress, proof: Proof): ZstdContext | undefined {
  let run = runnerOf(open());
  if (run === undefined || !proves(run, proof)) return undefined;
  return {
    run(input, buffer, expected) {
      const length = run?.(input, buffer);
      if (length !== undefined && length === (expected ?? length)) return length;
      run = runnerOf(open());
      return undefined;
    },
  };
}

/** An input, and what must come of it. */
export interface Proof {
  readonly input: Uint8Array;
  readonly isRight: (output: Uint8Array) => boolean;
}

type Run = (input: Uint8Array, buffer: Uint8Array) => number | undefined;

/** Twice, since only the second frame runs in a used context. */
function proves(run: Run, { input, isRight }: Proof): boolean {
  const once = () => {
    const buffer = new Uint8Array(1024);
    const length = run(input, buffer);
    return length !== undefined && isRight(buffer.subarray(0, length));
  };
  return once() && once();
}

function runnerOf(stream: ZstdCompress | ZstdDecompress): Run | undefined {
  if (!('_handle' in stream) || !('_writeState' in stream)) return undefined;
  const { _handle: handle, _writeState: left } = stream;
  if (!isHandle(handle) || !(left instanceof Uint32Array)) return undefined;
  stream.on('error', () => undefined);
  return (input, buffer) => {
    handle.writeSync(constants.ZSTD_e_end, input, 0, input.length, buffer, 0, buffer.length);
    const [spaceLeft = 0, inputLeft = 0] = left;
    return inputLeft === 0 && spaceLeft > 0 && !stream.destroyed ? buffer.length - spaceLeft : undefined;
  };
}

interface Handle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    buffer: Uint8Array,
    roomAt: number,
    roomLength: number,
  ): void;
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'writeSync' in value && typeof value.writeSync === 'function';
}
