import type { Clock } from '../../clock.ts';
import { countWords } from '../../count-words.ts';
import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import { openPacks } from '../archiver/open-packs.ts';
import { openBlob, type PackedBlob } from '../format/blob.ts';
import { type IndexId, type PackId, parseId, type SnapshotId } from '../format/ids.ts';
import { blobsPerIndex } from '../format/index-file.ts';
import type { FinishedPack } from '../format/pack.ts';
import { packSize } from '../format/pack-header.ts';
import { openPacker } from '../repository/packer.ts';
import { planReads } from '../repository/read-plan.ts';
import type { Repository } from '../repository/repository.ts';
import { listIndexes, removeIndexes, removePacks, writeIndexes } from '../repository/rewrite-indexes.ts';
import { cureOfAbsentSnapshot, listAbsent } from '../repository/snapshots.ts';
import { type PruneLimits, type PrunePlan, planPrune } from './plan.ts';
import { findUsedBlobs } from './used-blobs.ts';

export interface PruneOptions extends PruneLimits {
  readonly clock: Clock;
  /** Of the exclusive lock: when it is lost, nothing more is written or removed. */
  readonly signal?: AbortSignal;
  /** Only says what would be done. */
  readonly dryRun?: boolean;
}

export interface PruneReport {
  readonly packsRemoved: number;
  readonly packsRepacked: number;
  /** Packs that no index named: what a run that was killed left behind. */
  readonly packsUnindexed: number;
  readonly indexesBefore: number;
  readonly indexesAfter: number;
  /** Bytes that the store holds less than before. */
  readonly bytesFreed: number;
  /** Bytes that no snapshot needs and that stay, since they are few. */
  readonly bytesUnused: number;
  readonly bytesUsed: number;
}

/**
 * Removes what no snapshot needs. The caller has just opened the repository, holds its exclusive lock, and opens it anew
 * afterwards. New packs and indexes are durable before old ones go, so that the repository is whole wherever this ends, and
 * the next prune removes what is left over, that of writers that were killed included (design document of restic, "prune"). Throws `repository/damaged`, having
 * removed nothing, where anything that a snapshot needs is missing, and `store/unavailable` where the store lists a snapshot that it does not give.
 */
export async function prune(repository: Repository, options: PruneOptions): Promise<PruneReport> {
  const { signal } = options;
  const listed = await repository.listSnapshotIds();
  const snapshots = await Array.fromAsync(repository.listSnapshots());
  const [absent] = await listAbsent(
    repository,
    listed,
    snapshots.map(({ id }) => id),
  );
  if (absent !== undefined) throw listedOnly(absent);
  const indexesBefore = await listIndexes(repository);
  await repository.loadIndex();
  const used = await findUsedBlobs(repository, new Set(snapshots.map(({ snapshot }) => snapshot.tree)), { signal });
  const plan = planPrune(repository.index, used, options);
  const files = await comparePacks(repository, plan);
  const gone = new Set([...plan.remove, ...plan.repack]);
  const rewrites = gone.size > 0 || areMany(indexesBefore, repository);
  const report = {
    packsRemoved: plan.remove.size,
    packsRepacked: plan.repack.size,
    packsUnindexed: files.unindexed.length,
    indexesBefore: indexesBefore.length,
    bytesFreed: plan.bytesFreed + files.unindexed.reduce((sum, { size }) => sum + size, 0),
    bytesUnused: plan.bytesUnused,
    bytesUsed: plan.bytesUsed,
  };
  if (options.dryRun === true) return { ...report, indexesAfter: indexesBefore.length };
  signal?.throwIfAborted();
  await repository.backend.vacate();
  await removePacks(
    repository,
    files.unindexed.map(({ name }) => name),
    signal,
  );
  if (!rewrites) return { ...report, indexesAfter: indexesBefore.length };
  await repack(repository, plan, options);
  const staying = repository.index.packs().filter(({ id }) => !gone.has(id));
  const old = await listIndexes(repository);
  const indexesAfter = await writeIndexes(repository, staying, signal);
  await removeIndexes(repository, old, signal);
  await removePacks(
    repository,
    [...gone].filter((id) => !files.missing.has(id)),
    signal,
  );
  return { ...report, indexesAfter };
}

/** Whether this many index files could be merged into a quarter of their number, or fewer. */
function areMany(indexes: readonly IndexId[], { index }: Repository): boolean {
  return indexes.length >= 10 && indexes.length >= 4 * Math.ceil(index.size / blobsPerIndex);
}

interface PackFiles {
  /** Packs that an index names, but that are not there, and are not needed: all of them are to be removed. */
  readonly missing: ReadonlySet<PackId>;
  readonly unindexed: readonly { readonly name: PackId; readonly size: number }[];
}

/** Compares the store with the index. Throws `repository/damaged` where a pack that is needed is missing or has another size. */
async function comparePacks({ backend, index }: Repository, plan: PrunePlan): Promise<PackFiles> {
  const there = new Map<PackId, number>();
  for await (const { name, size } of backend.list('data')) there.set(parseId<PackId>(name), size);
  const missing = new Set<PackId>();
  for (const { id, blobs } of index.packs()) {
    const size = there.get(id);
    if (size === undefined) missing.add(id);
    if (size !== packSize(blobs) && !plan.remove.has(id)) throw damagedPack(id, size);
    there.delete(id);
  }
  return { missing, unindexed: Array.from(there, ([name, size]) => ({ name, size })) };
}

/** Copies the blobs that are needed to new packs, proved one by one, and names these packs in index files. */
async function repack(repository: Repository, plan: PrunePlan, { clock, signal }: PruneOptions): Promise<void> {
  const { masterKey, index } = repository;
  const packer = openPacker(repository, clock);
  const finished: FinishedPack[] = [];
  const packs = openPacks(masterKey, (pack) => finished.push(pack));
  const saveFinished = async () => {
    for (let pack = finished.shift(); pack !== undefined; pack = finished.shift()) {
      signal?.throwIfAborted();
      await packer.savePack(pack);
    }
  };
  for (const id of plan.repack) {
    const needed = index.pack(id).blobs.filter((blob) => plan.needs(id, blob));
    for await (const { blob, sealed } of readSealed(repository, id, needed)) {
      openBlob(masterKey, blob.id, sealed, blob.uncompressedLength);
      const { type, uncompressedLength } = blob;
      packs.add({ type, id: blob.id, sealed, ...(uncompressedLength !== undefined && { uncompressedLength }) });
      await saveFinished();
    }
  }
  packs.finish();
  await saveFinished();
  signal?.throwIfAborted();
  await packer.flush();
}

async function* readSealed({ backend }: Repository, packId: PackId, blobs: readonly PackedBlob[]) {
  const byOffset = new Map(blobs.map((blob) => [blob.offset, blob]));
  const wanted = blobs.map((blob) => ({ id: blob.id, at: { ...blob, packId } }));
  for (const { offset, length, blobs: together } of planReads(wanted)) {
    const bytes = await backend.load('data', packId, { offset, length });
    for (const { at } of together) {
      const blob = byOffset.get(at.offset);
      if (blob === undefined) continue;
      yield { blob, sealed: bytes.subarray(at.offset - offset, at.offset - offset + at.length) };
    }
  }
}

function listedOnly(snapshotId: SnapshotId): AppError {
  const message = `The store lists the file snapshots/${snapshotId}, but does not give it. Nothing was removed. ${cureOfAbsentSnapshot}`;
  return new AppError('store/unavailable', message, { detail: { snapshotId }, retry: { afterMs: minuteMs } });
}

function damagedPack(packId: PackId, size: number | undefined): AppError {
  const what = size === undefined ? 'is missing' : `has ${countWords(size, 'byte')}, which is not what the index says`;
  return new AppError(
    'repository/damaged',
    `The pack ${packId}, which snapshots need, ${what}. Nothing was removed: nightkeep check says what else is damaged, nightkeep repair what can be repaired.`,
    { detail: { packId } },
  );
}
