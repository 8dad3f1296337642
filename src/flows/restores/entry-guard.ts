import { AppError, isAppError } from '../../errors.ts';
import { shownName } from '../../file-name.ts';
import type { Path } from '../../store/restorer/restore-in-order.ts';

/** What a failure means: it concerns one entry, or all of them unless it passes, or all of them. */
export type Reach = 'entry' | 'for-now' | 'all';

interface Judging {
  reachOf(error: AppError): Reach;
  /** Why an entry was not written, as the end of a sentence. */
  whyNot(error: AppError): string;
}

/** A server that fails with so many entries in a row is away; with fewer, something is odd about these. */
const mostFailedInARow = 3;

/** Waits for the work on an entry. Throws `restore/not-written` if it fails for that entry, and what the work throws for anything else. */
export type EntryGuard = <T>(path: Path, work: Promise<T>) => Promise<T>;

/** Guards the entries of one restore. */
export function openEntryGuard({ reachOf, whyNot }: Judging): EntryGuard {
  let failedInARow = 0;
  return async (path, work) => {
    try {
      const result = await work;
      failedInARow = 0;
      return result;
    } catch (error) {
      if (!isAppError(error)) throw error;
      const reach = reachOf(error);
      if (reach === 'for-now') failedInARow += 1;
      if (reach === 'all' || failedInARow >= mostFailedInARow) throw error;
      throw notWritten(path, whyNot(error), error);
    }
  };
}

/** An entry that is not written, and why. */
export function notWritten(path: Path, why: string, cause?: AppError): AppError {
  const options = cause === undefined ? {} : { cause };
  return new AppError('restore/not-written', `Could not write ${shownName(path.join('/'))}: ${why}.`, options);
}
