import { packTarget } from '../archiver/open-packs.ts';
import type { PackedBlob } from '../format/blob.ts';
import type { PackId } from '../format/ids.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { packSize } from '../format/pack-header.ts';
import type { MasterIndex } from '../repository/master-index.ts';
import type { UsedBlobs } from './used-blobs.ts';

/** What a prune does with the packs that the index names. */
export interface PrunePlan {
  /** Packs that hold nothing needed. */
  readonly remove: ReadonlySet<PackId>;
  /** Packs whose needed blobs move to new packs. */
  readonly repack: ReadonlySet<PackId>;
  /** Bytes of the packs that go, less those of the blobs that move. */
  readonly bytesFreed: number;
  /** Bytes that no snapshot needs and that stay nevertheless. */
  readonly bytesUnused: number;
  readonly bytesUsed: number;
  /** Whether this pack is the one whose copy of the blob is needed. */
  needs(packId: PackId, blob: PackedBlob): boolean;
}

export interface PruneLimits {
  /** Bytes that no snapshot needs may be so large a part of those that are needed: 0.05 by default. */
  readonly unusedShare?: number;
  /** Packs that are known to be damaged: of a blob with several copies, one that is elsewhere stays. */
  readonly damaged?: ReadonlySet<string>;
}

/** Packs smaller than this part of a full one are merged, once there are this many of a type. */
const smallPart = 1 / 4;
const manySmall = 10;

interface PackUse {
  readonly id: PackId;
  readonly size: number;
  readonly usedBytes: number;
  readonly unusedBytes: number;
  readonly kind: 'data' | 'tree' | 'mixed';
}

/**
 * Chooses what goes, and what is repacked until little enough is unused: mixed packs first, then trees, then the packs of
 * which the most is unused. A blob with several copies is needed in one pack only, in one that stays anyway where there is one, and
 * in one that is damaged only where there is no other.
 */
export function planPrune(
  index: Pick<MasterIndex, 'packs' | 'findAll'>,
  used: UsedBlobs,
  { unusedShare = 0.05, damaged = new Set() }: PruneLimits = {},
): PrunePlan {
  const holders = chooseHolders(index, { used, damaged });
  const needs: PrunePlan['needs'] = (packId, { type, id }) =>
    used.has(type, id) && (holders.get(type + id) ?? packId) === packId;
  const uses = Array.from(index.packs(), (pack) => useOf(pack, (blob) => needs(pack.id, blob)));
  const bytesUsed = sum(uses, ({ usedBytes }) => usedBytes);
  const remove = uses.filter(({ usedBytes }) => usedBytes === 0);
  const partly = uses.filter(({ usedBytes, unusedBytes }) => usedBytes > 0 && unusedBytes > 0);
  const repack = new Set(chooseRepacks(uses, partly, bytesUsed * unusedShare));
  const gone = [...remove, ...repack];
  return {
    needs,
    bytesUsed,
    remove: new Set(remove.map(({ id }) => id)),
    repack: new Set([...repack].map(({ id }) => id)),
    bytesFreed: sum(gone, ({ size, usedBytes }) => size - usedBytes),
    bytesUnused: sum(partly, (pack) => (repack.has(pack) ? 0 : pack.unusedBytes)),
  };
}

function* chooseRepacks(uses: readonly PackUse[], partly: readonly PackUse[], allowed: number): Generator<PackUse> {
  for (const pack of uses) if (pack.kind === 'mixed' && pack.usedBytes > 0) yield pack;
  let unused = sum(partly, ({ unusedBytes }) => unusedBytes);
  for (const pack of partly.toSorted(worstFirst)) {
    if (unused <= allowed) break;
    unused -= pack.unusedBytes;
    yield pack;
  }
  for (const kind of ['data', 'tree'] as const) {
    const limit = packTarget[kind] * smallPart;
    const small = uses.filter((pack) => pack.kind === kind && pack.usedBytes > 0 && pack.size < limit);
    if (small.length >= manySmall) yield* small;
  }
}

function worstFirst(a: PackUse, b: PackUse): number {
  const trees = Number(b.kind === 'tree') - Number(a.kind === 'tree');
  return trees || b.unusedBytes / b.size - a.unusedBytes / a.size;
}

/** For each blob that has several copies, the pack that keeps it. */
function chooseHolders(
  index: Pick<MasterIndex, 'packs' | 'findAll'>,
  { used, damaged }: { used: UsedBlobs; damaged: ReadonlySet<string> },
): ReadonlyMap<string, PackId> {
  const copies = new Map<string, PackId[]>();
  const staying = new Set<PackId>();
  for (const { id: packId, blobs } of index.packs()) {
    for (const { type, id } of blobs) {
      if (!used.has(type, id)) continue;
      const holders = new Set(index.findAll(type, id).map((found) => found.packId));
      if (holders.size === 1) staying.add(packId);
      else copies.set(type + id, [...holders]);
    }
  }
  const chosen = new Map<string, PackId>();
  for (const [blob, all] of copies) {
    const intact = all.filter((id) => !damaged.has(id));
    const holders = intact.length > 0 ? intact : all;
    const holder = holders.find((id) => staying.has(id)) ?? holders[0];
    if (holder === undefined) continue;
    staying.add(holder);
    chosen.set(blob, holder);
  }
  return chosen;
}

function useOf({ id, blobs }: IndexedPack, isNeeded: (blob: PackedBlob) => boolean): PackUse {
  const size = packSize(blobs);
  const usedBytes = sum(blobs.filter(isNeeded), ({ length }) => length);
  const [type, other] = new Set(blobs.map((blob) => blob.type));
  return {
    id,
    size,
    usedBytes,
    unusedBytes: sum(blobs, ({ length }) => length) - usedBytes,
    kind: type === undefined || other !== undefined ? 'mixed' : type,
  };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
