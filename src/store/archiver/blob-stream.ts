import { type Chunker, maximumChunk, minimumChunk } from './chunker.ts';

/** Takes the bytes of one stream and calls `store` with each of its blobs, in order. The bytes are valid during the call only. */
export interface BlobStream {
  write(bytes: Uint8Array): void;
  /** `bytes` are the last ones. */
  end(bytes: Uint8Array): void;
  /** Nobody wants the rest. */
  abandon(): void;
}

/** Memory for chunks, used again and again, since a chunk may take 8 MiB. */
export interface ChunkRooms {
  take(): Uint8Array;
  giveBack(room: Uint8Array): void;
}

/** Room for the longest chunk each; pages that no chunk has touched cost nothing. */
export function openChunkRooms(): ChunkRooms {
  const free: Uint8Array[] = [];
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(maximumChunk),
    giveBack: (room) => free.push(room),
  };
}

/** A stream that is cut by the chunker. What arrives whole and below the minimum size is one blob, and is not copied. */
export function openChunkedStream(chunker: Chunker, rooms: ChunkRooms, store: (blob: Uint8Array) => void): BlobStream {
  const cutter = chunker();
  let room: Uint8Array | undefined;
  let filled = 0;

  function take(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      const { length, cut } = cutter.next(rest);
      room ??= rooms.take();
      room.set(rest.subarray(0, length), filled);
      filled += length;
      if (cut) flush(room);
      rest = rest.subarray(length);
    }
  }

  function flush(from: Uint8Array): void {
    if (filled > 0) store(from.subarray(0, filled));
    filled = 0;
  }

  function leave(): void {
    if (room !== undefined) rooms.giveBack(room);
    room = undefined;
  }

  return {
    write: take,
    end(bytes) {
      if (room === undefined && bytes.length < minimumChunk) {
        if (bytes.length > 0) store(bytes);
        return;
      }
      take(bytes);
      if (room !== undefined) flush(room);
      leave();
    },
    abandon: leave,
  };
}

/** A stream that is one blob, however long. */
export function openWholeStream(store: (blob: Uint8Array) => void): BlobStream {
  const parts: Uint8Array[] = [];
  return {
    write: (bytes) => parts.push(bytes.slice()),
    end: (bytes) => store(parts.length === 0 ? bytes : Buffer.concat([...parts, bytes])),
    abandon: () => parts.splice(0),
  };
}
