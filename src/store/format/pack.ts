import { type OpeningBuffers, proveBlob, type SealedBlob } from './blob.ts';
import type { MasterKey } from './envelope.ts';
import type { PackId } from './ids.ts';
import { decodeEntries, encodeEntry, encodePackHeader, longestEntry, packIdOf } from './pack-header.ts';

/** A pack file, whole. */
export interface FinishedPack {
  readonly id: PackId;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The encoded header entries of its blobs, for `decodeEntries`; objects would take ten times the memory. */
  readonly entries: Uint8Array<ArrayBuffer>;
}

/** A pack that still takes blobs, all of one type. */
export interface OpenPack {
  /** Bytes of the blobs so far, and of their entries in the header. */
  readonly size: number;
  add(blob: SealedBlob): void;
  /** Ends the pack with its header; it must not be used afterwards. */
  finish(): FinishedPack;
}

/** A new pack. It is built in `buffer` where that is large enough, so that many packs can reuse the memory. */
export function openPack(key: MasterKey, buffer: ArrayBuffer = new ArrayBuffer(0)): OpenPack {
  const blobs = openGrowing(buffer);
  const entries = openGrowing(new ArrayBuffer(64 * longestEntry));
  return {
    get size() {
      return blobs.size + entries.size;
    },
    add(blob) {
      blobs.put(blob.sealed);
      entries.put(encodeEntry({ ...blob, length: blob.sealed.length }));
    },
    finish() {
      blobs.put(encodePackHeader(key, entries.whole()));
      const bytes = blobs.whole();
      return { id: packIdOf(bytes), bytes, entries: entries.whole() };
    },
  };
}

/**
 * Opens each blob of the finished pack, in the very bytes that its id names, so that nothing goes to the store that could not be
 * read back from there. Throws `repository/damaged`.
 */
export function provePack(key: MasterKey, { bytes, entries }: FinishedPack, buffers: OpeningBuffers): void {
  for (const blob of decodeEntries(entries))
    proveBlob(key, blob, bytes.subarray(blob.offset, blob.offset + blob.length), buffers);
}

/** A growing sequence of bytes; when its memory is full, it moves to a larger buffer. */
function openGrowing(buffer: ArrayBuffer) {
  let bytes = new Uint8Array(buffer);
  let size = 0;
  return {
    get size() {
      return size;
    },
    put(part: Uint8Array): void {
      if (size + part.length > bytes.length) bytes = moved(bytes.subarray(0, size), size + part.length);
      bytes.set(part, size);
      size += part.length;
    },
    whole: () => bytes.subarray(0, size),
  };
}

function moved(bytes: Uint8Array, atLeast: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(new ArrayBuffer(Math.max(atLeast, bytes.length * 2)));
  larger.set(bytes);
  return larger;
}
