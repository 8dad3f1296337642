import { type ErrorCode, isAppError } from '../../errors.ts';
import { shownName } from '../../file-name.ts';
import { targetError } from './target-errors.ts';

/** An entry that was not restored, and why. */
export interface RestoreProblem {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What was restored. It grows while a restore goes on. */
export interface RestoreReport {
  files: number;
  folders: number;
  links: number;
  bytes: number;
  /** What cannot be restored there: sockets to a folder, and devices and pipes neither at a source. */
  readonly skipped: string[];
  readonly problems: RestoreProblem[];
}

/** What was restored to a folder. */
export interface FolderReport extends RestoreReport {
  /** Devices and pipes. */
  specials: number;
  /** Files that were there and stayed, and their bytes. */
  kept: number;
  keptBytes: number;
  /** Entries whose extended attributes, or last digits of times, this machine has no means to set. */
  inexact: number;
}

/** Nothing yet. */
export function emptyReport(): RestoreReport {
  return { files: 0, folders: 0, links: 0, bytes: 0, skipped: [], problems: [] };
}

const ofOneEntry = new Set<ErrorCode>(['repository/damaged', 'restore/not-written', 'restore/too-large']);

/** A failure of one entry becomes a problem; what ends the whole restore is thrown. */
export function note(problems: RestoreProblem[], path: string, error: unknown): void {
  if (!isAppError(error) || !ofOneEntry.has(error.code)) throw error;
  problems.push({ path: shownName(path), code: error.code, message: error.message });
}

/** Whether the work on an entry was done; otherwise that is on the report. */
export function attempt(
  { folder, report }: { readonly folder: string; readonly report: FolderReport },
  path: string,
  work: () => void,
): boolean {
  try {
    work();
    return true;
  } catch (error) {
    note(report.problems, path, targetError(error, folder, path));
    return false;
  }
}

/** Called for each entry that an archive lacks, with its path and the reason. */
export type LeftOut = (path: string, why: string) => void;

/** What restores and archives say of a name that cannot stand in a folder. */
export const unsafeNameWords = 'The snapshot holds a name that would leave its folder; it is not restored.';

/** Notes it. */
export function noteUnsafeName(problems: RestoreProblem[], path: string): void {
  problems.push({ path: shownName(path), code: 'repository/damaged', message: unsafeNameWords });
}

/** What restores and archives say of a node whose name another one of its folder has. */
export const twinWords = 'The snapshot holds this name twice in one folder; the first of the two is restored.';

/** Notes it. */
export function noteTwin(problems: RestoreProblem[], path: string): void {
  problems.push({ path: shownName(path), code: 'repository/damaged', message: twinWords });
}

/** What restores and archives say of an entry that is not understood. */
export const unreadableWords =
  'The snapshot holds an entry of a kind that is not known, or a damaged one; only that is left out.';

/** Notes an entry that is not understood. */
export function noteUnreadable(problems: RestoreProblem[], path: string): void {
  problems.push({ path: shownName(path), code: 'repository/damaged', message: unreadableWords });
}
