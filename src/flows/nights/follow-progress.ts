import type { Clock } from '../../clock.ts';
import type { RunProgress, RunStep } from '../../domain/run-progress.ts';
import type { Source } from '../../sources/source.ts';
import type { ArchiveProgress } from '../../store/archiver/archiver.ts';

/** Follows one run from step to step. */
export interface Follower {
  begin(step: RunStep): void;
  /** What is read from now on, and how many files the snapshot before holds. */
  read(from: { sources: readonly Pick<Source, 'traffic'>[]; expected: number | null }): void;
  /** Where the archive tells how far it is. */
  readonly archive: (look: () => ArchiveProgress) => void;
  readonly look: () => RunProgress;
}

/** Starts following a run, at the step `access`. */
export function followProgress(clock: Clock): Follower {
  let step: RunStep = 'access';
  let reading: Parameters<Follower['read']>[0] = { sources: [], expected: null };
  let began: number | undefined;
  let archived: (() => ArchiveProgress) | undefined;
  return {
    begin: (next) => {
      step = next;
    },
    read: (from) => {
      step = 'reading';
      reading = from;
      began = clock.elapsed();
    },
    archive: (look) => {
      archived = look;
    },
    look: () => {
      const { entries = 0, problems = 0, folder = null } = archived?.() ?? {};
      const ms = began === undefined ? 0 : Math.round(clock.elapsed() - began);
      return { step, entries, problems, folder, ms, expected: reading.expected, ...trafficOf(reading.sources) };
    },
  };
}

/** What the sources were asked, and what came. */
export function trafficOf(sources: readonly Pick<Source, 'traffic'>[]): { requests: number; bytesRead: number } {
  const sum = (key: 'requests' | 'bytes') => sources.reduce((total, { traffic }) => total + traffic[key], 0);
  return { requests: sum('requests'), bytesRead: sum('bytes') };
}
