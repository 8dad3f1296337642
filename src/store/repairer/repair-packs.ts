import { countWords } from '../../count-words.ts';
import { AppError } from '../../errors.ts';
import { cureOfAbsent } from '../backend/absent.ts';
import type { PackedBlob } from '../format/blob.ts';
import { type PackId, parseId } from '../format/ids.ts';
import { packSize } from '../format/pack-header.ts';
import { inParallel } from '../repository/in-parallel.ts';
import { createMasterIndex, type MasterIndex } from '../repository/master-index.ts';
import { readPackHeader } from '../repository/read-pack-header.ts';
import type { Repository } from '../repository/repository.ts';
import { listIndexes, removeIndexes, removePacks, writeIndexes } from '../repository/rewrite-indexes.ts';
import { salvagePacks, undefinedIfDamaged } from './salvage.ts';

export interface RepairOptions {
  /** Of the exclusive lock: when it is lost, nothing more is written or removed. */
  readonly signal?: AbortSignal;
  /** Only says what would be done. */
  readonly dryRun?: boolean;
  /** Called with each damaged pack, as it is on the store, before anything is changed. */
  readonly keep?: (packId: PackId, bytes: Buffer) => Promise<void>;
  /** Go on where none of the packs is there that the index names. */
  readonly allMayBeGone?: boolean;
}

export interface RepairReport {
  /** Index files that did not open. */
  readonly indexesDamaged: number;
  /** Packs that no index named, or that it named wrongly, and that their own headers name. */
  readonly packsIndexed: number;
  /** Packs that an index named and that are gone. */
  readonly packsMissing: readonly PackId[];
  /** Damaged packs whose intact blobs were moved to new packs, and which were removed. */
  readonly packsReplaced: readonly PackId[];
  /** Packs that no index names and whose headers do not open: left where they are, for the next prune to remove. */
  readonly packsUnreadable: readonly PackId[];
  /** Intact blobs of the damaged packs, */
  readonly blobsSaved: number;
  /** and blobs of damaged and missing packs that have no other copy. */
  readonly blobsLost: number;
}

/**
 * Makes the index name exactly the blobs that can be read, so that the next backup reads again what is lost. Packs that are known to be
 * damaged are passed in: their intact blobs are moved to new packs. Packs of another size than the index says, and packs in no index, are
 * read by their headers; packs that are gone are dropped. Without packs passed in, it only mends the index.
 *
 * The caller has just opened the repository, holds its exclusive lock, and opens it again afterwards. New packs and indexes are durable
 * before old ones are removed, so wherever this is interrupted nothing more is lost, and the next call completes it. Throws
 * `store/unavailable` where none of the packs is there, or all are empty: usually their disk is not mounted.
 */
export async function repairPacks(
  repository: Repository,
  packIds: Iterable<PackId>,
  options: RepairOptions = {},
): Promise<RepairReport> {
  const { signal, dryRun = false, keep = async () => undefined, allMayBeGone = false } = options;
  let indexesDamaged = 0;
  await repository.loadIndex(() => {
    indexesDamaged += 1;
  });
  const packs = await sortPacks(repository, new Set(packIds), signal);
  const gone = packs.missing.length + packs.empty;
  const none = packs.index.size === 0 && packs.damaged.length === packs.empty;
  if (none && gone > 0 && !allMayBeGone) throw noneThere(repository, gone);
  if (!dryRun) for (const id of packs.damaged) await keepCopy(repository, id, keep, signal);
  const save = dryRun ? undefined : repository.backend.save;
  const blobsSaved = await salvagePacks(repository, packs.damaged, { index: packs.index, save, signal });
  const report = {
    indexesDamaged,
    packsIndexed: packs.indexed,
    packsMissing: packs.missing,
    packsReplaced: packs.damaged,
    packsUnreadable: packs.unreadable,
    blobsSaved,
    blobsLost: countLost(repository, [...packs.damaged, ...packs.missing], packs.index),
  };
  const isRight = indexesDamaged + packs.indexed + packs.missing.length + packs.damaged.length === 0;
  if (dryRun || isRight) return report;
  const old = await listIndexes(repository);
  await writeIndexes(repository, packs.index.packs(), signal);
  // A damaged pack that no index named would be taken for whole, by its header, by the next repair after a crash.
  await removePacks(repository, packs.damaged, signal);
  await removeIndexes(repository, old, signal);
  return report;
}

interface SortedPacks {
  /** What can stay as it is, and what was salvaged. */
  readonly index: MasterIndex;
  readonly indexed: number;
  readonly missing: readonly PackId[];
  readonly damaged: readonly PackId[];
  /** How many of the damaged ones have no byte, such as links that lead nowhere. */
  readonly empty: number;
  readonly unreadable: readonly PackId[];
}

async function sortPacks(
  repository: Repository,
  known: ReadonlySet<PackId>,
  signal: AbortSignal | undefined,
): Promise<SortedPacks> {
  const { backend, index } = repository;
  const sizes = new Map<PackId, number>();
  for await (const { name, size } of backend.list('data')) sizes.set(parseId<PackId>(name), size);
  const right = createMasterIndex();
  const missing: PackId[] = [];
  const damaged: PackId[] = [];
  const unreadable: PackId[] = [];
  const unclear: PackId[] = [];
  const names = new Set<PackId>();
  for (const { id, blobs } of index.packs()) {
    names.add(id);
    // Some stores list late what is there.
    const size = sizes.get(id) ?? (await sizeOf(repository, id));
    if (size === undefined) missing.push(id);
    else if (known.has(id)) damaged.push(id);
    else if (size === packSize(blobs)) right.insertPack(id, blobs);
    else unclear.push(id);
  }
  for (const id of sizes.keys()) if (!names.has(id)) unclear.push(id);
  const read = async (id: PackId) => {
    signal?.throwIfAborted();
    return { id, blobs: await readHeader(repository, id, sizes.get(id)) };
  };
  let indexed = 0;
  for await (const { id, blobs } of inParallel(unclear, 4, read)) {
    if (blobs !== undefined && !known.has(id)) {
      right.insertPack(id, blobs);
      indexed += 1;
    } else if (blobs !== undefined || names.has(id)) damaged.push(id);
    else unreadable.push(id);
  }
  const empty = damaged.filter((id) => sizes.get(id) === 0).length;
  return { index: right, indexed, missing, damaged, empty, unreadable };
}

/** Undefined where it does not open, or the pack has gone. */
async function readHeader(
  repository: Repository,
  id: PackId,
  size: number | undefined,
): Promise<PackedBlob[] | undefined> {
  if (size === undefined) return undefined;
  return readPackHeader(repository, id, size).catch(undefinedIfDamaged);
}

async function sizeOf({ backend }: Repository, id: PackId): Promise<number | undefined> {
  return backend.stat('data', id).then(({ size }) => size, undefinedIfDamaged);
}

async function keepCopy(
  { backend }: Repository,
  id: PackId,
  keep: NonNullable<RepairOptions['keep']>,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const bytes = await backend.load('data', id).catch(undefinedIfDamaged);
  if (bytes !== undefined) await keep(id, bytes);
}

function countLost({ index }: Repository, packIds: readonly PackId[], right: MasterIndex): number {
  const lost = new Set<string>();
  for (const packId of packIds)
    for (const { type, id } of index.pack(packId).blobs) if (!right.has(type, id)) lost.add(type + id);
  return lost.size;
}

function noneThere({ backend }: Repository, count: number): AppError {
  return new AppError(
    'store/unavailable',
    `None of the ${countWords(count, 'pack')} that the index names is at ${backend.location}, or all are empty or links that lead nowhere. ${cureOfAbsent(backend)}. If the packs are truly gone, ` +
      'nightkeep repair --packs-are-gone drops them, and the next night, if there is one, stores again what the person still has where it came from.',
  );
}
