import { randomInt } from 'node:crypto';
import type { SealedBlob } from '../format/blob.ts';
import { envelopeOverhead, type MasterKey } from '../format/envelope.ts';
import type { BlobType } from '../format/ids.ts';
import { type FinishedPack, type OpenPack, openPack } from '../format/pack.ts';
import { headerLengthBytes, longestEntry } from '../format/pack-header.ts';

/**
 * Bytes of a pack: none is larger, but one with a single blob of this size or more. Open packs are what sealing holds most memory
 * for, so these are smaller than the 16 MiB of stock restic, and still above the 4 MiB below which prune repacks.
 */
export const packTarget: Readonly<Record<BlobType, number>> = { data: 8 * 1024 * 1024, tree: 4 * 1024 * 1024 };

/** Where little is to come: most nights that bring something bring less than this. */
const firstOfLittle = 64 * 1024;

/** What one more blob adds besides its bytes, and the end of the pack. */
const besidesBlob = longestEntry + envelopeOverhead + headerLengthBytes;

/** The packs that a thread fills. */
export interface OpenPacks {
  add(blob: SealedBlob): void;
  /** Takes back the buffer of a pack that is stored. */
  reuse(buffer: ArrayBuffer): void;
  /** Finishes all of them. */
  finish(): void;
}

/**
 * Packs hold blobs of one type. Data blobs go to one of two open packs at random, so that the sizes of consecutive chunks
 * cannot be read off the store. `done` gets each pack as it is full. Where little is to come, `most` makes them smaller, and each takes
 * memory as it grows.
 */
export function openPacks(
  key: MasterKey,
  done: (pack: FinishedPack) => void,
  most = Number.POSITIVE_INFINITY,
): OpenPacks {
  const target = { data: Math.min(most, packTarget.data), tree: Math.min(most, packTarget.tree) };
  const first = most === Number.POSITIVE_INFINITY ? most : firstOfLittle;
  /** By their size, which may be the same for both types: each lies in one place, so that no two packs are built in it. */
  const buffers = new Map<number, ArrayBuffer[]>(Object.values(target).map((size) => [size, []]));
  const open: Record<SealedBlob['type'], (OpenPack | undefined)[]> = {
    data: [undefined, undefined],
    tree: [undefined],
  };

  function alone(blob: SealedBlob): void {
    const pack = openPack(key, new ArrayBuffer(blob.sealed.length + besidesBlob));
    pack.add(blob);
    done(pack.finish());
  }

  function deal(blob: SealedBlob): void {
    const packs = open[blob.type];
    const at = packs.length === 1 ? 0 : randomInt(packs.length);
    const pack = withSpace(packs[at], blob);
    pack.add(blob);
    packs[at] = pack;
  }

  function withSpace(pack: OpenPack | undefined, { type, sealed }: SealedBlob): OpenPack {
    if (pack !== undefined && pack.size + sealed.length + besidesBlob <= target[type]) return pack;
    if (pack !== undefined) done(pack.finish());
    return openPack(key, buffers.get(target[type])?.pop() ?? new ArrayBuffer(Math.min(first, target[type])));
  }

  return {
    add: (blob) => (blob.sealed.length + besidesBlob > target[blob.type] ? alone(blob) : deal(blob)),
    reuse: (buffer) => void buffers.get(buffer.byteLength)?.push(buffer),
    finish() {
      for (const pack of [...open.data, ...open.tree]) if (pack !== undefined) done(pack.finish());
      open.data = [undefined, undefined];
      open.tree = [undefined];
    },
  };
}
