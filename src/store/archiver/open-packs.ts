import { randomInt } from 'node:crypto';
import type { SealedBlob } from '../format/blob.ts';
import type { MasterKey } from '../format/envelope.ts';
import { type FinishedPack, type OpenPack, openPack, packRoom, packTarget } from '../format/pack.ts';

/** The packs that a thread fills. */
export interface OpenPacks {
  add(blob: SealedBlob): void;
  /** Takes back the memory of a pack that is stored. */
  reuse(room: ArrayBuffer): void;
  /** Finishes all of them. */
  finish(): void;
}

/**
 * Packs hold blobs of one type. Data is dealt at random to two open packs, so that the sizes of chunks that follow each
 * other cannot be read off the store. `done` gets each pack as it is full.
 */
export function openPacks(key: MasterKey, done: (pack: FinishedPack) => void): OpenPacks {
  const rooms: ArrayBuffer[] = [];
  const open: Record<SealedBlob['type'], (OpenPack | undefined)[]> = {
    data: [undefined, undefined],
    tree: [undefined],
  };

  function alone(blob: SealedBlob): void {
    const pack = openPack(key);
    pack.add(blob);
    done(pack.finish());
  }

  function deal(blob: SealedBlob): void {
    const packs = open[blob.type];
    const at = packs.length === 1 ? 0 : randomInt(packs.length);
    const pack = withSpace(packs[at], blob.sealed.length);
    pack.add(blob);
    packs[at] = pack;
  }

  function withSpace(pack: OpenPack | undefined, length: number): OpenPack {
    if (pack !== undefined && pack.size + length <= packTarget) return pack;
    if (pack !== undefined) done(pack.finish());
    return openPack(key, rooms.pop() ?? new ArrayBuffer(packRoom));
  }

  return {
    add: (blob) => (blob.sealed.length >= packTarget ? alone(blob) : deal(blob)),
    reuse(room) {
      if (room.byteLength === packRoom) rooms.push(room);
    },
    finish() {
      for (const pack of [...open.data, ...open.tree]) if (pack !== undefined) done(pack.finish());
      open.data = [undefined, undefined];
      open.tree = [undefined];
    },
  };
}
