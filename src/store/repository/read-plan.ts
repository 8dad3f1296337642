import type { BlobId, PackId } from '../format/ids.ts';
import type { FoundBlob } from './master-index.ts';

/** A blob that is asked for, and where it lies; `at` is undefined for one that no index knows. */
export interface Wanted {
  readonly id: BlobId;
  readonly at: FoundBlob | undefined;
}

/** One read of one pack that brings several blobs. */
export interface PlannedRead {
  readonly packId: PackId;
  readonly offset: number;
  readonly length: number;
  readonly blobs: readonly { readonly id: BlobId; readonly at: FoundBlob }[];
}

const windowBytes = 8 * 1024 * 1024;
const windowBlobs = 1000;
/** Reading across a gap this small is cheaper than a second request. */
const smallGap = 8 * 1024;

/** The blobs in batches of a few MiB, in order. */
export function* windowsOf(
  ids: Iterable<BlobId>,
  find: (id: BlobId) => FoundBlob | undefined,
): Generator<readonly Wanted[]> {
  let window: Wanted[] = [];
  let bytes = 0;
  for (const id of ids) {
    const at = find(id);
    const length = at?.length ?? 0;
    if (window.length > 0 && (bytes + length > windowBytes || window.length >= windowBlobs)) {
      yield window;
      window = [];
      bytes = 0;
    }
    window.push({ id, at });
    bytes += length;
  }
  if (window.length > 0) yield window;
}

/**
 * The fewest reads that bring these blobs, pack by pack: neighbours together, each blob once. None is longer than `longest` bytes, unless
 * one blob is.
 */
export function planReads(wanted: readonly Wanted[], longest = Number.POSITIVE_INFINITY): PlannedRead[] {
  const once = new Map<BlobId, PlannedRead['blobs'][number]>();
  for (const { id, at } of wanted) if (at !== undefined) once.set(id, { id, at });
  const packs = Map.groupBy(once.values(), ({ at }) => at.packId);
  return Array.from(packs, ([packId, blobs]) => readsOfPack(packId, blobs, longest)).flat();
}

function readsOfPack(packId: PackId, blobs: PlannedRead['blobs'], longest: number): PlannedRead[] {
  const runs: { id: BlobId; at: FoundBlob }[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const blob of blobs.toSorted((a, b) => a.at.offset - b.at.offset)) {
    const run = runs.at(-1);
    const isNear = blob.at.offset - end <= smallGap;
    end = blob.at.offset + blob.at.length;
    if (isNear && run !== undefined && end - (run[0]?.at.offset ?? 0) <= longest) run.push(blob);
    else runs.push([blob]);
  }
  return runs.map((run) => readOf(packId, run));
}

function readOf(packId: PackId, run: PlannedRead['blobs']): PlannedRead {
  const offset = run[0]?.at.offset ?? 0;
  const last = run.at(-1)?.at ?? { offset, length: 0 };
  return { packId, offset, length: last.offset + last.length - offset, blobs: run };
}
