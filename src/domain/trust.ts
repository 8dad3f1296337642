import { daysBetween } from './nights.ts';

/** A run that wrote a snapshot, as far as it bears on what the next one believes. */
export interface TrustedRun {
  /** Calendar date that it counts for. */
  readonly night: string;
  /** Folders that it did not list; undefined for runs that did not count them. */
  readonly foldersPassedOver: number | undefined;
  /** Roots in which it found something changed behind an unchanged validator. */
  readonly unreliable: readonly string[];
}

export interface Trust {
  /** A full walk: every folder is listed. */
  readonly listAll: boolean;
  /** Roots in which everything is read. */
  readonly readAll: readonly string[];
}

/**
 * How far a run trusts validators, by the runs before it, newest first; `nights` is for how many nights folders may go unlisted.
 * A root that was wrong once is read whole until as many runs in a row have found nothing: by then a passing cause
 * (a server restored from its own backup) is over, and a server that goes on being wrong has been found out again.
 */
export function trustOf(runs: readonly TrustedRun[], { night, nights }: { night: string; nights: number }): Trust {
  const isRecent = (run: TrustedRun) => daysBetween(run.night, night) < nights;
  const readAll = new Set(runs.slice(0, nights).flatMap(({ unreliable }) => unreliable));
  return { listAll: !runs.some((run) => run.foldersPassedOver === 0 && isRecent(run)), readAll: [...readAll] };
}
