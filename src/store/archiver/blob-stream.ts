import { release } from '../../release.ts';
import { type Chunker, minimumChunk } from './chunker.ts';

/** Takes the bytes of one stream and calls `store` with each of its blobs, in order. The bytes are valid during the call only. */
export interface BlobStream {
  write(bytes: Uint8Array): void;
  /** `bytes` are the last ones. */
  end(bytes: Uint8Array): void;
  /** The rest is not needed. */
  abandon(): void;
}

/** Buffers for chunks, used again and again: a chunk may take 8 MiB, but most take little more than one. */
export interface ChunkBuffers {
  /** A buffer of at least this many bytes. */
  take(length: number): Uint8Array;
  giveBack(buffer: Uint8Array): void;
}

const usualBuffer = 1024 * 1024;
/** Most files are short. */
const shortBuffer = 64 * 1024;

/** Buffers of 64 KiB, and of 1, 2, 4 and 8 MiB. */
export function openChunkBuffers(): ChunkBuffers {
  const free = new Map<number, Uint8Array[]>();
  return {
    take(length) {
      let size = length <= shortBuffer ? shortBuffer : usualBuffer;
      while (size < length) size *= 2;
      return free.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
    },
    giveBack(buffer) {
      const others = free.get(buffer.length) ?? [];
      free.set(buffer.length, others);
      others.push(buffer);
    },
  };
}

/** A stream that is cut by the chunker. Content below the minimum size that arrives at once is one blob, and is not copied. */
export function openChunkedStream(
  chunker: Chunker,
  buffers: ChunkBuffers,
  store: (blob: Uint8Array) => void,
): BlobStream {
  const cutter = chunker();
  let buffer: Uint8Array | undefined;
  let filled = 0;

  function take(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      const { length, cut } = cutter.next(rest);
      append(rest.subarray(0, length));
      if (cut) flush();
      rest = rest.subarray(length);
    }
  }

  function append(bytes: Uint8Array): void {
    if (buffer === undefined || buffer.length < filled + bytes.length) buffer = moved(buffer, filled + bytes.length);
    buffer.set(bytes, filled);
    filled += bytes.length;
  }

  function moved(from: Uint8Array | undefined, length: number): Uint8Array {
    const to = buffers.take(length);
    if (from !== undefined) {
      to.set(from.subarray(0, filled));
      buffers.giveBack(from);
    }
    return to;
  }

  function flush(): void {
    if (buffer !== undefined && filled > 0) store(buffer.subarray(0, filled));
    leave();
  }

  function leave(): void {
    if (buffer !== undefined) buffers.giveBack(buffer);
    buffer = undefined;
    filled = 0;
  }

  return {
    write: take,
    end(bytes) {
      if (buffer === undefined && bytes.length < minimumChunk) {
        if (bytes.length > 0) store(bytes);
        return;
      }
      take(bytes);
      flush();
    },
    abandon: leave,
  };
}

/** A stream that is one blob, however long. */
export function openWholeStream(store: (blob: Uint8Array) => void): BlobStream {
  const parts: Uint8Array[] = [];
  return {
    write: (bytes) => parts.push(bytes.slice()),
    end: (bytes) => store(parts.length === 0 ? bytes : joined(parts.splice(0), bytes)),
    abandon: () => parts.splice(0),
  };
}

/** All of them in one; the parts are freed as they are copied, so that a huge tree is not held twice. */
function joined(parts: readonly Uint8Array[], last: Uint8Array): Uint8Array {
  const length = parts.reduce((sum, { length }) => sum + length, 0);
  const whole = Buffer.allocUnsafeSlow(length + last.length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
    release(part);
  }
  whole.set(last, length);
  return whole;
}
