import { type Chunker, minimumChunk } from './chunker.ts';

/** Takes the bytes of one stream and calls `store` with each of its blobs, in order. The bytes are valid during the call only. */
export interface BlobStream {
  write(bytes: Uint8Array): void;
  /** `bytes` are the last ones. */
  end(bytes: Uint8Array): void;
  /** Nobody wants the rest. */
  abandon(): void;
}

/** Memory for chunks, used again and again: a chunk may take 8 MiB, but most take little more than one. */
export interface ChunkRooms {
  /** A room of at least so many bytes. */
  take(length: number): Uint8Array;
  giveBack(room: Uint8Array): void;
}

const smallestRoom = 1024 * 1024;

/** Rooms of 1, 2, 4 and 8 MiB. */
export function openChunkRooms(): ChunkRooms {
  const free = new Map<number, Uint8Array[]>();
  return {
    take(length) {
      let size = smallestRoom;
      while (size < length) size *= 2;
      return free.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
    },
    giveBack(room) {
      const others = free.get(room.length) ?? [];
      free.set(room.length, others);
      others.push(room);
    },
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
      append(rest.subarray(0, length));
      if (cut) flush();
      rest = rest.subarray(length);
    }
  }

  function append(bytes: Uint8Array): void {
    if (room === undefined || room.length < filled + bytes.length) room = moved(room, filled + bytes.length);
    room.set(bytes, filled);
    filled += bytes.length;
  }

  function moved(from: Uint8Array | undefined, length: number): Uint8Array {
    const to = rooms.take(length);
    if (from !== undefined) {
      to.set(from.subarray(0, filled));
      rooms.giveBack(from);
    }
    return to;
  }

  function flush(): void {
    if (room !== undefined && filled > 0) store(room.subarray(0, filled));
    leave();
  }

  function leave(): void {
    if (room !== undefined) rooms.giveBack(room);
    room = undefined;
    filled = 0;
  }

  return {
    write: take,
    end(bytes) {
      if (room === undefined && bytes.length < minimumChunk) {
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
    end: (bytes) => store(parts.length === 0 ? bytes : Buffer.concat([...parts, bytes])),
    abandon: () => parts.splice(0),
  };
}
