import type { PackedBlob, SealedBlob } from './blob.ts';
import type { MasterKey } from './envelope.ts';
import type { IndexedPack } from './index-file.ts';
import { encodePackHeader, packIdOf } from './pack-header.ts';

/** A pack file, whole. */
export interface FinishedPack extends IndexedPack {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A pack that still takes blobs, all of one type. */
export interface OpenPack {
  /** Bytes of the blobs so far. */
  readonly size: number;
  add(blob: SealedBlob): void;
  /** Ends the pack with its header; it must not be used afterwards. */
  finish(): FinishedPack;
}

/** No pack is larger, but one with a single blob of this size or more. */
export const packTarget = 16 * 1024 * 1024;

/** Room that is enough for every pack of this size, its header included; memory that is not written to is not taken. */
export const packRoom = packTarget + 2 * 1024 * 1024;

/** A new pack. It is built in `room` where that is large enough, so that the memory can be used for many packs in turn. */
export function openPack(key: MasterKey, room: ArrayBuffer = new ArrayBuffer(0)): OpenPack {
  const blobs: PackedBlob[] = [];
  let bytes = new Uint8Array(room);
  let size = 0;

  function put(part: Uint8Array): void {
    if (size + part.length > bytes.length) bytes = moved(bytes.subarray(0, size), size + part.length);
    bytes.set(part, size);
    size += part.length;
  }

  return {
    get size() {
      return size;
    },
    add({ type, id, sealed, uncompressedLength }) {
      const packed = { type, id, offset: size, length: sealed.length };
      blobs.push(uncompressedLength === undefined ? packed : { ...packed, uncompressedLength });
      put(sealed);
    },
    finish() {
      put(encodePackHeader(key, blobs));
      const whole = bytes.subarray(0, size);
      return { id: packIdOf(whole), blobs, bytes: whole };
    },
  };
}

function moved(bytes: Uint8Array, atLeast: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(new ArrayBuffer(Math.max(atLeast + 64 * 1024, bytes.length * 2)));
  larger.set(bytes);
  return larger;
}
