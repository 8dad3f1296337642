import { isGreatLoss } from '../../domain/great-change.ts';
import type { AlarmKind } from '../../domain/protection-reasons.ts';
import type { RunCounts } from '../../domain/run-counts.ts';
import { escapedName } from '../../file-name.ts';
import type { Archived } from '../../store/archiver/archiver.ts';
import type { GoneFolder } from './find-gone-folders.ts';

/** Something that is not in the snapshot as it is at the source. */
export interface RunProblem {
  readonly path: string;
  readonly code: string;
  readonly message: string;
  /** The copy of an earlier night stands in. */
  readonly kept: boolean;
  /** It is of a folder, with all below it. */
  readonly folder?: true;
  /** ISO 8601: when that copy was taken. Absent where there is none, or its time is not known. */
  readonly since?: string;
}

/** What the snapshot before was, where there was one. */
export interface Before {
  readonly snapshotId: string;
  readonly takenAt: Date;
  /** Those problems of its run that are kept by name, and how many there were. */
  readonly problems: readonly Pick<RunProblem, 'path' | 'since'>[];
  readonly problemCount: number;
}

/** How many folders that are gone as a whole a run keeps by name, the largest. */
const goneFoldersKept = 100;
/** How many problems a run keeps by name, those of whole sources first; all of them are counted. */
const problemsKept = 1_000;

/**
 * What came of a run that wrote a snapshot: counts, what is not in it as it should be, which folders are gone as a whole, and whether somebody should
 * look: at `change`, at these, or at a root that is not offered any more.
 */
export function outcomeOf(
  archived: Archived,
  before: Before | undefined,
  { change, goneFolders = [] }: { change?: 'loss' | 'change' | undefined; goneFolders?: readonly GoneFolder[] } = {},
) {
  const { problems } = archived;
  const inGone = goneFolders.reduce((sum, { entries }) => sum + entries, 0);
  const alarm = before && alarmOf(archived, before, isGreatLoss(inGone) ? 'loss' : change);
  return {
    state: problems.length === 0 ? ('succeeded' as const) : ('partial' as const),
    ...(problems.length > 0 && { errorCode: mostFrequent(problems.map(({ code }) => code)) }),
    counts: countsOf(archived),
    problems: wholeSourcesFirst(problems)
      .slice(0, problemsKept)
      .map((problem) => problemOf(problem, before)),
    problemCount: problems.length,
    ...(goneFolders.length > 0 && {
      goneFolders: goneFolders
        .slice(0, goneFoldersKept)
        .map(({ path, entries }) => ({ path: escapedName(path), entries })),
    }),
    ...(alarm && { alarm, heldSnapshotId: before.snapshotId }),
  };
}

/** A source that could not be read at all says more than any of its entries, and pages judge by what is kept. */
function wholeSourcesFirst(problems: Archived['problems']): Archived['problems'] {
  return problems.toSorted((one, other) => Number(other.path === '') - Number(one.path === ''));
}

/** What kept most of them from being read: operators learn this code, and no path. */
function mostFrequent(codes: readonly string[]): string {
  const groups = Object.entries(Object.groupBy(codes, (code) => code));
  const [[code = ''] = []] = groups.toSorted(([, one = []], [, other = []]) => other.length - one.length);
  return code;
}

/** A root that is not offered any more is an alarm once; after that it stays a problem, and its copy stays too. */
function alarmOf({ missing }: Archived, before: Before, change: 'loss' | 'change' | undefined): AlarmKind | undefined {
  const isKnown = (name: string) => before.problems.some(({ path }) => path === escapedName(`${name}/`));
  return missing.every(isKnown) ? change : 'root';
}

/** The counts of a run, besides its traffic and its time. */
function countsOf({ seen, summary }: Archived): RunCounts {
  return {
    entries: seen.read + seen.unchanged,
    entriesRead: seen.read,
    ...(seen.resumed > 0 && { entriesResumed: seen.resumed }),
    entriesUnchanged: seen.unchanged,
    entriesChecked: seen.checked,
    ...(seen.unchecked > 0 && { entriesUnchecked: seen.unchecked }),
    ...(seen.restored > 0 && { entriesRestored: seen.restored }),
    foldersPassedOver: seen.passedOver,
    entriesKept: seen.kept,
    entriesGone: seen.gone,
    filesNew: summary.files_new,
    filesChanged: summary.files_changed,
    dataAdded: summary.data_added,
    totalBytes: summary.total_bytes_processed,
  };
}

function problemOf(problem: Archived['problems'][number], before: Before | undefined): RunProblem {
  const { root, code, folder, kept } = problem;
  const path = escapedName(`${root}/${problem.path}`);
  const message = escapedName(problem.message);
  const since = kept && before ? lastWhole(path, before) : undefined;
  return { path, code, message, kept, ...(folder && { folder }), ...(since !== undefined && { since }) };
}

/** When what is kept was taken: by the snapshot before, unless that one had it from an earlier night, alone or in a folder. */
function lastWhole(path: string, { takenAt, problems, problemCount }: Before): string | undefined {
  const known = problems.find((problem) => path === problem.path || path.startsWith(`${problem.path}/`));
  if (known !== undefined) return known.since;
  return problems.length === problemCount ? takenAt.toISOString() : undefined;
}
