import { abortToo, untilAborted } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import type { TreeId } from '../format/ids.ts';
import type { SnapshotSummary } from '../format/snapshot.ts';
import { timestamp } from '../format/timestamp.ts';
import { type Checkpoint, openCheckpoints } from './checkpoints.ts';
import { openCollector } from './collector.ts';
import type { ArchiveRepository } from './contract.ts';
import { saveTree } from './folder.ts';
import { openCountBelow } from './parent.ts';
import type { ArchiveProblem } from './run.ts';
import { openSealing, type Sealing } from './sealing.ts';
import { archiveSources, type SourcesOptions, type Totals } from './sources.ts';
import { restoreCompared } from './spot-check.ts';
import { openSpots, type SpotCheck } from './spots.ts';
import { type RootChanges, type Seen, zeroCounts, zeroSeen } from './tally.ts';

export interface ArchiveOptions extends SourcesOptions {
  /** Where an archive of these sources was interrupted: what that had finished and is as it was is not read again. */
  readonly from?: Checkpoint | undefined;
  /**
   * Called now and then with a checkpoint that another archive could continue from, and with a last one before an error of a source is thrown.
   * A checkpoint that it rejects counts as not made.
   */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => Promise<void>;
  /** The sample of unchanged entries that are read again; none unless given. */
  readonly spotCheck?: SpotCheck;
  readonly clock: Clock;
  /** IANA zone of the times in the summary; UTC by default. */
  readonly zone?: string;
  /** Most files and folders in all; a folder that goes beyond is a problem. No limit unless given. */
  readonly mostMembers?: number;
  /** Sealing threads at most; by default as the number of cores allows. */
  readonly threads?: number;
  /** Called with how much longer threads of its own have had a processor. */
  readonly onProcessor?: (ms: number) => void;
  /** Called once at the start, with a function that says how far the archive is. */
  readonly onProgress?: (look: () => ArchiveProgress) => void;
}

export interface ArchiveProgress {
  /** Files seen so far: read, unchanged and kept ones. */
  readonly entries: number;
  readonly problems: number;
  /** The folder that the entry begun last is in, with the name of its root in front; null before the first. */
  readonly folder: string | null;
}

export interface Archived {
  /** The tree for the snapshot; all of it is on the store and in index files. */
  readonly tree: TreeId;
  readonly summary: SnapshotSummary;
  /** Files in the tree: read, unchanged and kept ones. */
  readonly entries: number;
  /** How they came into it, what is gone since the parent, and the bytes received. */
  readonly seen: Readonly<Seen>;
  /** What became of each root that was archived. */
  readonly roots: readonly RootChanges[];
  /** The folders at the top of the tree. */
  readonly tops: readonly string[];
  /** Those of the parent that no source offers any more; where the repository still holds them they are in the tree as well. */
  readonly missing: readonly string[];
  /** What could not be backed up, or only as it was the night before. The run is partial where there are any. */
  readonly problems: readonly ArchiveProblem[];
  /**
   * Roots in which something differed from the parent although its validator, or that of its folder, had not changed. Whatever else
   * in them was not read may differ as well.
   */
  readonly unreliable: readonly string[];
  /** Ids of packs, damaged or missing, that kept checked entries from being restored to nothing. */
  readonly damagedPacks: readonly string[];
}

/**
 * Archives the sources into the repository and returns the tree for a snapshot. The order must hold: packs are durable before
 * index files name them, and both before this resolves. Where no source has a root that can be listed and read, throws the `source/…`
 * error of the first one, with its address. Also throws the errors of the store, and the signal's reason. What was packed by then is
 * indexed, so that the next run is shorter.
 */
export async function archive(options: ArchiveOptions): Promise<Archived> {
  const { repository, clock, zone, signal } = options;
  const start = timestamp(clock.now(), zone);
  const totals: Totals = {
    countBelow: openCountBelow(repository),
    counts: zeroCounts(),
    problems: [],
    savedTrees: new Set(),
    seen: zeroSeen(),
    roots: [],
    at: { folder: null },
    passed: openCollector(),
    spots: openSpots(options.spotCheck ?? { files: 0, random: () => 0 }),
    unreliable: new Set(),
    compared: [],
    damagedPacks: new Set(),
    listed: { members: 0, most: options.mostMembers ?? Number.POSITIVE_INFINITY },
  };
  options.onProgress?.(() => ({
    entries: totals.counts.total_files_processed,
    problems: totals.problems.length,
    folder: totals.at.folder,
  }));
  const ending = new AbortController();
  using _ending = abortToo(ending, signal);
  const { signal: either } = ending;
  await using sealing = openSealing({
    ...options,
    ...repository,
    savePack: (pack) => (either.aborted ? Promise.reject(either.reason) : repository.savePack(pack)),
    onFailure: (error) => ending.abort(error),
  });
  const checkpoints = await openCheckpoints({ ...options, sealing });
  try {
    const sinks = { sealing, checkpoints };
    const { tops, kept, missing } = await archiveSources({ ...options, signal: either }, sinks, totals);
    await untilAborted(checkpoints.end(), either);
    await restoreCompared({ ...totals, repository, signal: either });
    const tree = await saveTree({ ...totals, repository, sealing }, [...tops, ...kept]);
    await finish(sealing, repository, either);
    const times = { backup_start: start, backup_end: timestamp(clock.now(), zone) };
    const names = [...tops, ...kept].map(({ name }) => name);
    return { ...report(tree, totals, sealing, times), tops: names, missing };
  } catch (error) {
    if (either.aborted) throw either.reason;
    await untilAborted(checkpoints.conclude(), either).catch(() => undefined);
    await finish(sealing, repository, either).catch(() => undefined);
    throw error;
  } finally {
    void checkpoints.end();
  }
}

/** Packs, then index files; when the run is aborted meanwhile nothing more is written. */
async function finish(sealing: Sealing, repository: ArchiveRepository, signal: AbortSignal): Promise<void> {
  await untilAborted(sealing.finish(), signal);
  signal.throwIfAborted();
  await repository.flush();
}

function report(
  tree: TreeId,
  { counts, problems, seen, roots, unreliable, damagedPacks }: Totals,
  { added }: Sealing,
  times: Pick<SnapshotSummary, 'backup_start' | 'backup_end'>,
): Omit<Archived, 'tops' | 'missing'> {
  const sealed = {
    data_blobs: added.dataBlobs,
    tree_blobs: added.treeBlobs,
    data_added: added.bytes,
    data_added_packed: added.packedBytes,
  };
  const entries = counts.total_files_processed;
  const summary = { ...times, ...counts, ...sealed };
  return {
    tree,
    summary,
    entries,
    seen,
    roots,
    problems,
    unreliable: [...unreliable],
    damagedPacks: [...damagedPacks],
  };
}
