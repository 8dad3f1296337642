import { abortToo, untilAborted, whenAborted } from '../../abort.ts';
import { AppError, isAppError } from '../../errors.ts';
import { type MemoryBudget, partOf, unlimitedMemory } from '../../memory-budget.ts';
import { traced } from '../../tracing.ts';
import type { TreeId } from '../format/ids.ts';
import type { DirNode, Node } from '../format/node.ts';
import type { ArchivedRoot, ArchivedSource, ArchiveRepository } from './contract.ts';
import { openDepthFirst } from './depth-first.ts';
import type { Outcome } from './entry.ts';
import { archiveFolder } from './folder.ts';
import { keep } from './kept.ts';
import { loadParentNodes } from './parent.ts';
import { openPending } from './pending.ts';
import type { Run } from './run.ts';
import type { EmptiedFolder, RootChanges, Seen } from './tally.ts';

/** What the sources of an archive are read with. */
export interface SourcesOptions {
  /** Each root of theirs fills one folder at the top of the snapshot; names unique. */
  readonly sources: readonly ArchivedSource[];
  /** The caller holds its lock, and aborts `signal` when the lock is lost. */
  readonly repository: ArchiveRepository;
  /** The tree of the snapshot before; what is unchanged since is not read. */
  readonly parent?: TreeId;
  /** Names of roots of the parent that are not to be in the archive any more, and that no source is asked for. */
  readonly left?: ReadonlySet<string>;
  /** A source that does not answer is waited for: its error ends the archive, although there are others. */
  readonly waitsForAll?: boolean;
  /** A full walk: every folder is listed, also where the source says that nothing below it changed. */
  readonly listAll?: boolean;
  /** Names of the roots in which nothing is taken as unchanged: all of it is listed and read. */
  readonly readAll?: ReadonlySet<string>;
  readonly signal: AbortSignal;
  /** Aborted when the time of the run is over: the archive then ends as by an error of a source, with a last checkpoint, and throws the reason. */
  readonly timeIsOver?: AbortSignal;
  /** For the members of all folders that are being archived at once; no limit unless given. */
  readonly memory?: MemoryBudget;
  /** Most lists and readings under way at once; by default as many as are of use to the source. */
  readonly requests?: number;
}

/** What the sources of one archive share. */
export type Totals = Pick<
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
> & {
  /** What became of each root that was archived. */
  readonly roots: RootChanges[];
};
/** Where what is archived goes to. */
type Sinks = Pick<Run, 'sealing' | 'checkpoints'>;

interface ArchivedTops {
  readonly tops: readonly DirNode[];
  /** Those of the parent, where there is nothing newer. */
  readonly kept: readonly Node[];
  /** Names of those that no source offers any more. */
  readonly missing: readonly string[];
}

/**
 * Archives one source after the other. One that cannot be read is a problem of its own, and its tree of the parent is kept, unless no source can be
 * read, or `waitsForAll` leaves the time to wait for it: then its error is thrown.
 */
export async function archiveSources(options: SourcesOptions, sinks: Sinks, totals: Totals): Promise<ArchivedTops> {
  const parentNodes = await loadParentNodes(options.repository, options.parent);
  const tops: DirNode[] = [];
  const failures: Failure[] = [];
  for (const source of options.sources) {
    const failure = await archiveSource(options, source, { tops, parentNodes, sinks, totals });
    if (failure === undefined) continue;
    const { error } = failure;
    if (failures.push(failure) === options.sources.length) throw failures[0]?.error;
    if (options.waitsForAll && (error.code === 'source/unavailable' || error.code === 'source/too-slow')) throw error;
  }
  const unread = await keepUnreadRoots(options, failures, parentNodes, totals);
  const known = new Set([...tops.map(({ name }) => name), ...failures.flatMap(({ names }) => names)]);
  const gone = await keepMissing(options, known, parentNodes, totals);
  return { tops, kept: [...unread, ...gone.kept], missing: gone.missing };
}

/** Why nothing was archived of these roots of a source. */
interface Failure {
  readonly names: readonly string[];
  readonly error: AppError;
}

interface Archiving {
  readonly tops: DirNode[];
  readonly parentNodes: ReadonlyMap<string, Node> | undefined;
  readonly sinks: Sinks;
  readonly totals: Totals;
}

async function archiveSource(
  options: SourcesOptions,
  source: ArchivedSource,
  { tops, parentNodes, sinks, totals }: Archiving,
): Promise<Failure | undefined> {
  let left: readonly Pick<ArchivedRoot, 'name' | 'address'>[] = [source];
  let takeBack = () => {};
  try {
    const roots = await findRoots(options, source);
    left = roots;
    for (const root of roots) {
      takeBack = remember(totals);
      const parent = parentNodes?.get(root.name);
      const emptied: EmptiedFolder[] = [];
      const archive = () => archiveRoot(options, { source, root, parent, emptied }, sinks, totals);
      const changes = countChanges(totals, root.name);
      tops.push(await tracedRoot(totals, archive));
      totals.roots.push({ ...changes(), emptied });
      left = left.slice(1);
    }
    return undefined;
  } catch (cause) {
    options.signal.throwIfAborted();
    const error = failureOf(left[0] ?? source, cause);
    if (!isAppError(error) || !error.code.startsWith('source/')) throw error;
    takeBack();
    return { names: left.map(({ name }) => name), error };
  }
}

/** Returns a function that sets the counts back to what they are now, except for the bytes received. */
function remember({ counts, seen, problems, compared }: Totals): () => void {
  const before = { counts: { ...counts }, seen: { ...seen }, problems: problems.length, compared: compared.length };
  return () => {
    Object.assign(counts, before.counts);
    Object.assign(seen, before.seen, { bytes: seen.bytes });
    problems.length = before.problems;
    compared.length = before.compared;
  };
}

/** Returns a function that says what has become of a root since: of its files in the parent, and how many folders it has now. */
function countChanges({ counts, seen }: Totals, name: string): () => Omit<RootChanges, 'emptied'> {
  const before = { ...counts, gone: seen.gone };
  const foldersOf = ({ dirs_new, dirs_changed, dirs_unmodified }: Totals['counts']) =>
    dirs_new + dirs_changed + dirs_unmodified;
  return () => {
    const gone = seen.gone - before.gone;
    const files = counts.total_files_processed - before.total_files_processed;
    return {
      name,
      before: gone + files - (counts.files_new - before.files_new),
      gone,
      changed: counts.files_changed - before.files_changed,
      folders: foldersOf(counts) - foldersOf(before),
    };
  };
}

/** The trees that they had in the parent. */
async function keepUnreadRoots(
  { repository }: SourcesOptions,
  failures: readonly Failure[],
  parentNodes: ReadonlyMap<string, Node> | undefined,
  { countBelow, counts, problems, seen }: Totals,
): Promise<Node[]> {
  const kept: Node[] = [];
  for (const { names, error } of failures)
    for (const name of names) {
      const node = parentNodes?.get(name);
      const copy = node && (await keep({ repository, countBelow, counts, seen }, node));
      if (copy !== undefined) kept.push(copy);
      const { code, message } = error;
      problems.push({ root: name, path: '', code, message, kept: copy !== undefined });
    }
  return kept;
}

/** Traces the work on one root in figures only: its name belongs to somebody. */
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

async function findRoots({ signal }: SourcesOptions, source: ArchivedSource): Promise<readonly ArchivedRoot[]> {
  const roots = await source.roots(signal);
  if (roots.length === 0) throw new AppError('source/not-found', 'The server offers nothing.');
  return roots;
}

/** Roots that no source offers any more: a space that was taken away, a share that was not mounted. */
async function keepMissing(
  { repository, left = new Set() }: SourcesOptions,
  offered: ReadonlySet<string>,
  parentNodes: ReadonlyMap<string, Node> | undefined,
  { countBelow, counts, problems, seen }: Totals,
): Promise<{ kept: Node[]; missing: string[] }> {
  const message = 'It was there the night before, and the server no longer offers it.';
  const kept: Node[] = [];
  const missing = [...(parentNodes?.values() ?? [])].filter(({ name }) => !offered.has(name) && !left.has(name));
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
  }: SourcesOptions,
  {
    source,
    root,
    parent,
    emptied,
  }: { source: ArchivedSource; root: ArchivedRoot; parent: Node | undefined; emptied: EmptiedFolder[] },
  sinks: Sinks,
  totals: Totals,
): Promise<DirNode> {
  const before = { problems: totals.problems.length, ...totals.seen };
  const ending = new AbortController();
  using _ending = abortToo(ending, signal);
  using part = partOf(memory, Number.POSITIVE_INFINITY);
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
    emptied,
    memory: part,
    signal: ending.signal,
    listAll: listAll || readAll.has(root.name),
    readAll: readAll.has(root.name),
    outages: 0,
  };
  const place = { member: { ...root.collection, name: root.name }, path: '' };
  const onOutcome = async (outcome: Outcome) => top.resolve(outcome);
  walk.push([{ bytes: 0, run: () => archiveFolder(run, place, parent, onOutcome) }].values());
  try {
    await walk.ended;
  } catch (error) {
    // What is still being sealed is counted when it is done.
    await untilAborted(run.pending.none(), signal);
    throw error;
  } finally {
    ignoreTime?.();
  }
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
