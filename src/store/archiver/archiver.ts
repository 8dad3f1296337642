import { abortToo, untilAborted, whenAborted } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { AppError, isAppError } from '../../errors.ts';
import { type MemoryBudget, unlimitedMemory } from '../../memory-budget.ts';
import { traced } from '../../tracing.ts';
import type { TreeId } from '../format/ids.ts';
import type { DirNode, Node } from '../format/node.ts';
import type { SnapshotSummary } from '../format/snapshot.ts';
import { timestamp } from '../format/timestamp.ts';
import { type Checkpoint, openCheckpoints } from './checkpoints.ts';
import { openCollector } from './collector.ts';
import type { ArchivedRoot, ArchivedSource, ArchiveRepository } from './contract.ts';
import { openDepthFirst } from './depth-first.ts';
import type { Outcome } from './entry.ts';
import { archiveFolder, saveTree } from './folder.ts';
import { keep } from './kept.ts';
import { loadParentNodes, openCountBelow } from './parent.ts';
import { openPending } from './pending.ts';
import type { ArchiveProblem, Run } from './run.ts';
import { openSealing, type Sealing } from './sealing.ts';
import { restoreCompared } from './spot-check.ts';
import { openSpots, type SpotCheck } from './spots.ts';
import { type Seen, zeroCounts, zeroSeen } from './tally.ts';

export interface ArchiveOptions {
  /** Each root of theirs fills one folder at the top of the snapshot; names unique. */
  readonly sources: readonly ArchivedSource[];
  /** The caller holds its lock, and aborts `signal` when the lock is lost. */
  readonly repository: ArchiveRepository;
  /** The tree of the snapshot before; what is unchanged since is not read. */
  readonly parent?: TreeId;
  /** Where an archive of these sources was interrupted: what that had finished and is as it was is not read again. */
  readonly from?: Checkpoint | undefined;
  /**
   * Called now and then with where this one could be gone on from, and with the last such place before an error of a source is thrown. One
   * that it rejects is as good as not made.
   */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => Promise<void>;
  /** A full walk: every folder is listed, also where the source says that nothing below it changed. */
  readonly listAll?: boolean;
  /** Names of the roots of which nothing is believed unchanged: all of it is listed and read. */
  readonly readAll?: ReadonlySet<string>;
  /** The sample of unchanged entries that are read again; none unless given. */
  readonly spotCheck?: SpotCheck;
  readonly clock: Clock;
  /** IANA zone of the times in the summary; UTC by default. */
  readonly zone?: string;
  readonly signal: AbortSignal;
  /** Aborted when the time of the run is over: the archive then ends as by an error of a source, with a last checkpoint, and throws the reason. */
  readonly timeIsOver?: AbortSignal;
  /** For the members of all folders that are being archived at once; no limit unless given. */
  readonly memory?: MemoryBudget;
  /** Most files and folders in all; a folder that goes beyond is a problem. No limit unless given. */
  readonly mostMembers?: number;
  /** Most lists and readings under way at once; by default as many as are of use to the source. */
  readonly requests?: number;
  /** Sealing threads at most; by default as the number of cores allows. */
  readonly threads?: number;
  /** Told for how long more threads of its own had a processor. */
  readonly onProcessor?: (ms: number) => void;
  /** Given at the start what tells how far the archive is, whenever it is asked. */
  readonly onProgress?: (look: () => ArchiveProgress) => void;
}

export interface ArchiveProgress {
  /** Files seen so far: read, unchanged and kept ones. */
  readonly entries: number;
  readonly problems: number;
  /** The folder of which something was begun last, with the name of its root in front; null before the first. */
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
  /** The folders at the top of the tree. */
  readonly tops: readonly string[];
  /** Those of the parent that no source offers any more; where the repository still holds them they are in the tree as well. */
  readonly missing: readonly string[];
  /** What could not be backed up, or only as it was the night before. The run is partial where there are any. */
  readonly problems: readonly ArchiveProblem[];
  /**
   * Roots of which something was another than in the parent although its validator, or that of its folder, had not
   * changed. Whatever else of them was not read may be another as well.
   */
  readonly unreliable: readonly string[];
  /** Ids of packs, damaged or missing, that kept checked entries from being restored to nothing. */
  readonly damagedPacks: readonly string[];
}

type Totals = Pick<
  Run,
  | 'countBelow'
  | 'counts'
  | 'problems'
  | 'savedTrees'
  | 'seen'
  | 'at'
  | 'passed'
  | 'spots'
  | 'unreliable'
  | 'compared'
  | 'damagedPacks'
  | 'listed'
>;
/** Where what is archived goes to. */
type Sinks = Pick<Run, 'sealing' | 'checkpoints'>;

/**
 * Archives the sources into the repository and returns the tree for a snapshot. The order must hold: packs are durable before
 * index files name them, and both before this resolves. Throws, with its address, the `source/…` error of a root
 * that cannot be listed or of which nothing can be read; the errors of the store; and the signal's reason. What was
 * packed until then is indexed, so that the next run is shorter.
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

async function archiveSources(options: ArchiveOptions, sinks: Sinks, totals: Totals) {
  const parentNodes = await loadParentNodes(options.repository, options.parent);
  const tops: DirNode[] = [];
  for (const source of options.sources) {
    for (const root of await findRoots(options, source)) {
      try {
        const archive = () => archiveRoot(options, source, root, parentNodes?.get(root.name), sinks, totals);
        tops.push(await tracedRoot(totals, archive));
      } catch (error) {
        throw failureOf(root, error);
      }
    }
  }
  return { tops, ...(await keepMissing(options, tops, parentNodes, totals)) };
}

/** Names of roots are somebody's; what was done with one is told in figures. */
function tracedRoot({ problems, seen }: Totals, archive: () => Promise<DirNode>): Promise<DirNode> {
  const before = { problems: problems.length, ...seen };
  return traced({ name: 'source', kind: 'client' }, async (note) => {
    try {
      return await archive();
    } finally {
      note({
        'nightkeep.source.folders': seen.folders - before.folders,
        'nightkeep.source.files_read': seen.read - before.read,
        'nightkeep.source.files_unchanged': seen.unchanged - before.unchanged,
        'nightkeep.source.bytes': seen.bytes - before.bytes,
        'nightkeep.source.problems': problems.length - before.problems,
      });
    }
  });
}

async function findRoots({ signal }: ArchiveOptions, source: ArchivedSource): Promise<readonly ArchivedRoot[]> {
  try {
    const roots = await source.roots(signal);
    if (roots.length === 0) throw new AppError('source/not-found', 'The server offers nothing.');
    return roots;
  } catch (error) {
    throw failureOf(source, error);
  }
}

/** Roots that no source offers any more: a space that was taken away, a share that was not mounted. */
async function keepMissing(
  { repository }: ArchiveOptions,
  tops: readonly DirNode[],
  parentNodes: ReadonlyMap<string, Node> | undefined,
  { countBelow, counts, problems, seen }: Totals,
): Promise<{ kept: Node[]; missing: string[] }> {
  const offered = new Set(tops.map(({ name }) => name));
  const message = 'It was there in the night before, and the server does not offer it any more.';
  const kept: Node[] = [];
  const missing = [...(parentNodes?.values() ?? [])].filter(({ name }) => !offered.has(name));
  for (const node of missing) {
    const copy = await keep({ repository, countBelow, counts, seen }, node);
    if (copy !== undefined) kept.push(copy);
    problems.push({ root: node.name, path: '', code: 'source/root-gone', message, kept: copy !== undefined });
  }
  return { kept, missing: missing.map(({ name }) => name) };
}

const usualRequests = 16;
/** So that a request waits wherever one of the source has ended: what one brought is still being handed over then. */
const readAhead = 8;

async function archiveRoot(
  {
    repository,
    signal,
    timeIsOver,
    memory = unlimitedMemory,
    requests,
    listAll = false,
    readAll = new Set(),
  }: ArchiveOptions,
  source: ArchivedSource,
  root: ArchivedRoot,
  parent: Node | undefined,
  sinks: Sinks,
  totals: Totals,
): Promise<DirNode> {
  const before = { problems: totals.problems.length, ...totals.seen };
  const ending = new AbortController();
  using _ending = abortToo(ending, signal);
  const top = Promise.withResolvers<Outcome>();
  top.promise.catch(() => undefined);
  const most = () => requests ?? (source.atOnce === undefined ? usualRequests : source.atOnce + readAhead);
  const walk = openDepthFirst(most, (error) => {
    ending.abort(error);
    top.reject(error);
  });
  const ignoreTime = timeIsOver && whenAborted(timeIsOver, walk.fail);
  const run = {
    ...totals,
    ...sinks,
    source,
    root,
    repository,
    walk,
    pending: openPending(),
    memory,
    signal: ending.signal,
    listAll: listAll || readAll.has(root.name),
    readAll: readAll.has(root.name),
    outages: 0,
  };
  const place = { member: { ...root.collection, name: root.name }, path: '' };
  const onOutcome = async (outcome: Outcome) => top.resolve(outcome);
  walk.push([{ bytes: 0, run: () => archiveFolder(run, place, parent, onOutcome) }].values());
  await walk.ended.finally(ignoreTime);
  const { node } = await top.promise;
  refuseWhereNothingWasRead(totals, before);
  if (node?.type !== 'dir') throw new Error('A root ended without its top folder.');
  return node;
}

/** Copies of an earlier night alone are no backup of this one. An empty source has no problems. */
function refuseWhereNothingWasRead({ problems, seen }: Totals, before: Seen & { problems: number }): void {
  const problem = problems[before.problems];
  const some = seen.read + seen.unchanged + seen.folders > before.read + before.unchanged + before.folders;
  if (problem !== undefined && !some) throw new AppError(problem.code, problem.message);
}

/** Names the address. A later attempt may succeed whatever the status was: a proxy answers for servers that are down. */
function failureOf({ address }: Pick<ArchivedRoot, 'address'>, cause: unknown): unknown {
  if (!isAppError(cause) || !cause.code.startsWith('source/')) return cause;
  const { message, detail, retry = { afterMs: 0 } } = cause;
  // A root is listed nowhere: one that is a file is no folder that changed.
  const code = detail.isFolder === false ? 'source/malformed' : cause.code;
  return new AppError(code, `Nothing was backed up from ${address}: ${message}`, { cause, detail, retry });
}

/** Packs, then index files; when the run is aborted meanwhile nothing more is written. */
async function finish(sealing: Sealing, repository: ArchiveRepository, signal: AbortSignal): Promise<void> {
  await untilAborted(sealing.finish(), signal);
  signal.throwIfAborted();
  await repository.flush();
}

function report(
  tree: TreeId,
  { counts, problems, seen, unreliable, damagedPacks }: Totals,
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
  return { tree, summary, entries, seen, problems, unreliable: [...unreliable], damagedPacks: [...damagedPacks] };
}
