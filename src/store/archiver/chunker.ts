import { chunkerWasm } from './chunker.wasm.ts';

/** Sizes in bytes that every restic chunker uses. */
export const minimumChunk = 512 * 1024;
/** The longest chunk in bytes (MaxSize of restic's chunker). */
export const maximumChunk = 8 * 1024 * 1024;

const window = 64;
const windowAt = 4096;
const pieceAt = windowAt + window;
const pieceSize = 64 * 1024;

/** The cut points of one stream of bytes. */
export interface Cutter {
  /**
   * How many of these bytes belong to the chunk that is open: up to and with the byte a cut follows, or all of them
   * (`cut` is false) when it stays open. Call it again with the bytes after the cut.
   */
  next(bytes: Uint8Array): { length: number; cut: boolean };
}

/** Opens cutters; as many streams as one likes may be in progress, one `next` at a time. */
export type Chunker = () => Cutter;

/**
 * The chunker of a repository: its cut points are those of stock restic with the same polynomial, which must be irreducible
 * and of degree 53. What remains open at the end of a stream is the last chunk. The tables of the polynomial are made for the first stream
 * that reaches the minimum size: many a night has none.
 */
export function openChunker(polynomial: bigint): Chunker {
  if (polynomial >> 53n !== 1n) throw new RangeError('The chunker polynomial is not of degree 53.');
  let scanner: Scanner | undefined;
  const scannerNow = () => {
    scanner ??= instantiate(polynomial);
    return scanner;
  };
  return () => openCutter(scannerNow);
}

interface Scanner {
  readonly memory: Uint8Array;
  scan(length: number): number;
}

function openCutter(scannerNow: () => Scanner): Cutter {
  const before = new Uint8Array(window);
  let size = 0;

  /** Scans the bytes from `at` on; the 64 bytes that go before them are in `before`. */
  function scanPiece(bytes: Uint8Array, at: number): { length: number; cut: boolean } {
    const { memory, scan } = scannerNow();
    const length = Math.min(pieceSize, bytes.length - at, maximumChunk - size);
    memory.set(before, windowAt);
    memory.set(bytes.subarray(at, at + length), pieceAt);
    const found = scan(length);
    if (found > 0) return { length: found, cut: true };
    before.set(memory.subarray(windowAt + length, windowAt + length + window));
    return { length, cut: size + length === maximumChunk };
  }

  /** Bytes below the minimum size are not scanned; only the last 64 of them are remembered. */
  function skip(bytes: Uint8Array): number {
    const length = Math.min(bytes.length, Math.max(0, minimumChunk - 1 - size));
    if (size + length > minimumChunk - 1 - window) remember(bytes.subarray(0, length));
    return length;
  }

  function remember(bytes: Uint8Array): void {
    const kept = bytes.subarray(-window);
    before.copyWithin(0, kept.length);
    before.set(kept, window - kept.length);
  }

  return {
    next(bytes) {
      let at = skip(bytes);
      size += at;
      while (at < bytes.length) {
        const piece = scanPiece(bytes, at);
        at += piece.length;
        size += piece.length;
        if (!piece.cut) continue;
        size = 0;
        return { length: at, cut: true };
      }
      return { length: at, cut: false };
    },
  };
}

/** TypeScript knows WebAssembly only together with the browser's whole DOM; this is the part of it used here. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
  ) => {
    exports: { memory: { buffer: ArrayBuffer }; init(polynomial: bigint): void; scan(length: number): number };
  };
};

const compiled = new WebAssembly.Module(Buffer.from(chunkerWasm, 'base64'));

function instantiate(polynomial: bigint): Scanner {
  const { memory, init, scan } = new WebAssembly.Instance(compiled).exports;
  init(polynomial);
  return { memory: new Uint8Array(memory.buffer), scan };
}
