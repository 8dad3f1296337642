import { countWords } from '../../count-words.ts';
import type { AppError } from '../../errors.ts';
import type { KeyId, PackId, SnapshotId } from '../format/ids.ts';
import type { IndexedPack } from '../format/index-file.ts';
import type { FileNode } from '../format/node.ts';
import { packSize } from '../format/pack-header.ts';
import { nameAffectedFiles } from './affected-files.ts';
import { checkKeys } from './check-keys.ts';
import { checkPack, longestPieceOf, readPack } from './check-pack.ts';
import { checkTrees } from './check-trees.ts';
import { type Examiners, openExaminers } from './examiners.ts';
import type { Finding } from './finding.ts';
import { openFindings } from './findings.ts';
import { inParallel } from './in-parallel.ts';
import { prunedMeanwhile } from './load-while-locking.ts';
import type { Repository } from './repository.ts';
import { cureOfAbsentSnapshot, cureOfSnapshot, listAbsent, type SavedSnapshot } from './snapshots.ts';

/**
 * Which packs are read whole: every one, the n-th of t parts (1 ≤ n ≤ t ≤ 256; t nights read all), a random share, or those that are
 * chosen of all that the index names, in that order.
 */
export type ReadShare =
  | 'none'
  | 'all'
  | { readonly part: number; readonly of: number }
  | { readonly percent: number }
  /** Asked once all files were told to `onFile`. */
  | { readonly choose: (packs: readonly PackId[]) => Promise<readonly PackId[]> };

export interface CheckOptions {
  /** The lock, where it is still being taken: what can be is done meanwhile, and counts once it has settled and nothing was pruned. */
  readonly locking?: Promise<unknown>;
  /** 'none' by default. */
  readonly readData?: ReadShare;
  readonly signal?: AbortSignal;
  /** 0 to 1; for the random share. */
  readonly random?: () => number;
  /** Key files that must be there, besides the one that opened the repository. */
  readonly keys?: readonly KeyId[];
  /** Called with each pack that was read, and what is wrong with it, one after the other in their order. */
  readonly onPack?: (id: PackId, findings: readonly Finding[]) => Promise<void>;
  /** Called with every file of every folder that the snapshots reach, the ones that are lost too. */
  readonly onFile?: (node: FileNode) => void;
}

export interface CheckReport {
  /** What is wrong, with the pack and the files it affects where these are known; of each kind the first thousand are named. Empty: nothing is. */
  readonly findings: readonly Finding[];
  readonly snapshots: number;
  /** Those that can be read. */
  readonly saved: readonly SavedSnapshot[];
  readonly packs: number;
  readonly packsRead: number;
  readonly bytesRead: number;
}

/**
 * Checks whether everything that the snapshots need is there and intact: indexes, sizes of packs, trees and their canonical
 * form, data blobs, key files, and the content of the packs chosen. The caller opened the repository for this, and holds a lock on it.
 * An unavailable store ends it with an error; damage never does. Where the lock is still being taken, it rejects as that does, and with
 * `repository/locked` where an index file went meanwhile.
 */
export async function checkRepository(repository: Repository, options: CheckOptions = {}): Promise<CheckReport> {
  const findings = openFindings();
  const damagedIndexes = new Set<string>();
  const damaged = ({ message }: AppError) => {
    if (damagedIndexes.size === damagedIndexes.add(message).size) return;
    findings.add({ kind: 'file-damaged', severity: 'error', message });
  };
  await repository.loadIndex(damaged);
  const early = readEarly(repository, options);
  using examiners = openExaminers(repository.masterKey, { longestPiece: longestPieceOf(repository.backend) });
  examiners.expect(early.bytes);
  using ahead = readAhead(repository, { ids: early.ids, examiners, ...options });
  await options.locking;
  const listed = await repository.listSnapshotIds();
  const hurt: SnapshotId[] = [];
  const snapshots = await Array.fromAsync(
    repository.listSnapshots(({ message }, snapshotId) => {
      hurt.push(snapshotId);
      findings.add({ kind: 'file-damaged', severity: 'error', message: `${message} ${cureOfSnapshot}`, snapshotId });
    }),
  );
  // Others may have written snapshots since, and the index files of what these need.
  if (!(await repository.renewIndex(damaged))) throw prunedMeanwhile();
  const found = [...snapshots.map(({ id }) => id), ...hurt];
  for (const id of await listAbsent(repository, listed, found)) findings.add(listedOnly(id));
  for (const finding of await checkKeys(repository.backend, [repository.keyId, ...(options.keys ?? [])]))
    findings.add(finding);
  const sizes = await sizesOfPacks(repository);
  const there: PackId[] = [];
  for (const pack of repository.index.packs()) {
    for (const finding of checkSize(pack, sizes.get(pack.id))) findings.add(finding);
    if (sizes.has(pack.id)) there.push(pack.id);
  }
  const sizeOf = (id: PackId) => sizes.get(id) ?? 0;
  for await (const finding of checkTrees(repository, snapshots, options)) findings.add(finding);
  const chosen = await choose(there, options);
  const bytesRead = chosen.reduce((sum, id) => sum + sizeOf(id), 0);
  examiners.expect(bytesRead);
  const read = async (id: PackId) => {
    options.signal?.throwIfAborted();
    const size = sizeOf(id);
    if (await ahead.foundWhole(id, size)) return { id, found: [] };
    return { id, found: await checkPack(repository, repository.index.pack(id), { examiner: examiners, size }) };
  };
  ahead.stop();
  const packs = inParallel(chosen, examiners.width, read, (error) => {
    throw error;
  });
  for await (const { id, found } of packs) {
    for (const finding of found) findings.add(finding);
    await options.onPack?.(id, found);
  }
  return {
    findings: await nameAffectedFiles(repository, snapshots, findings.all(), options.signal),
    snapshots: snapshots.length,
    saved: snapshots,
    packs: sizes.size,
    packsRead: chosen.length,
    bytesRead,
  };
}

/** The packs that are read for certain, and their bytes, as the index says before it is known what is there. */
function readEarly({ index }: Repository, { readData = 'none' }: CheckOptions) {
  const isCertain = (id: PackId) =>
    readData === 'all' || (typeof readData === 'object' && 'part' in readData && isInPart(id, readData));
  const ids: PackId[] = [];
  let bytes = 0;
  if (readData === 'none') return { ids, bytes };
  for (const { id, blobs } of index.packs()) {
    if (!isCertain(id)) continue;
    ids.push(id);
    bytes += packSize(blobs);
  }
  return { ids, bytes };
}

/** Reads packs, one after the other, while the caller looks at other things, until it is stopped. */
function readAhead(
  repository: Repository,
  { ids, examiners, signal }: { ids: readonly PackId[]; examiners: Examiners; signal?: AbortSignal },
) {
  const begun = new Map<PackId, { readonly size: number; readonly reading: Promise<readonly Finding[] | undefined> }>();
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  const begin = async (id: PackId) => {
    if (isStopped || signal?.aborted) return;
    const pack = repository.index.pack(id);
    const size = packSize(pack.blobs);
    // What goes wrong here does so again when the pack is read for good, or has been cured.
    const reading = readPack(repository, pack, { examiner: examiners, size }).catch(() => undefined);
    begun.set(id, { size, reading });
    await reading;
  };
  const going = async () => {
    for await (const _ of inParallel(ids, examiners.width, begin, () => {})) if (isStopped) return;
  };
  void going();
  return {
    stop,
    /** Whether the pack was read, has this size, and nothing was wrong with it. */
    foundWhole: async (id: PackId, size: number): Promise<boolean> => {
      const one = begun.get(id);
      return one !== undefined && one.size === size && (await one.reading)?.length === 0;
    },
    [Symbol.dispose]: stop,
  };
}

async function sizesOfPacks({ backend }: Repository): Promise<Map<string, number>> {
  const files = await Array.fromAsync(backend.list('data'));
  return new Map(files.map(({ name, size }) => [name, size]));
}

function* checkSize({ id: packId, blobs }: IndexedPack, size: number | undefined): Generator<Finding> {
  const expected = packSize(blobs);
  const severity = 'error';
  if (size === undefined) {
    yield { kind: 'pack-missing', severity, packId, blobs, message: `The pack ${packId} is missing.` };
  } else if (size !== expected) {
    const cut = blobs.filter(({ offset, length }) => offset + length > size);
    const message =
      size === 0
        ? `The pack ${packId} is empty, or no file, or a link that leads nowhere; the index says ${countWords(expected, 'byte')}.`
        : `The pack ${packId} has ${countWords(size, 'byte')}; the index says ${expected}.`;
    yield { kind: 'pack-size', severity, packId, blobs: cut, message };
  }
  if (new Set(blobs.map(({ type }) => type)).size > 1) {
    yield { kind: 'pack-mixed', severity: 'hint', packId, message: `The pack ${packId} mixes data and trees.` };
  }
}

/** Old listings pass, so that it is no damage. */
function listedOnly(id: SnapshotId): Finding {
  const message = `The store lists the file snapshots/${id}, but does not give it. ${cureOfAbsentSnapshot}`;
  return { kind: 'file-damaged', severity: 'hint', message };
}

function isInPart(id: PackId, { part, of }: { readonly part: number; readonly of: number }): boolean {
  return Number.parseInt(id.slice(0, 2), 16) % of === part - 1;
}

/** The packs to be read, of those that are there. */
async function choose(
  ids: readonly PackId[],
  { readData = 'none', random = Math.random }: CheckOptions,
): Promise<readonly PackId[]> {
  if (readData === 'all') return ids;
  if (readData === 'none') return [];
  if ('choose' in readData) return readData.choose(ids);
  if ('percent' in readData) return ids.filter(() => random() * 100 < readData.percent);
  return ids.filter((id) => isInPart(id, readData));
}
