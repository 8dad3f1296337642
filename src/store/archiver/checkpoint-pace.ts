import type { Clock } from '../../clock.ts';

/**
 * An interruption loses less than 10 s of work and 32 MiB: while a checkpoint is being made, at most `mostUnsaved` is read, besides the short
 * files that are under way. A young archive makes its next checkpoint as soon as it has read as much again, so that however often it is
 * interrupted, little more than half of what it reads is lost.
 */
const everyMs = 8_000;
const mostBytes = 16 * 1024 * 1024;
const mostUnsaved = 23 * 1024 * 1024;
const leastBytes = 1024 * 1024;

/** Decides when an archive makes its next checkpoint: after eight seconds or 16 MiB, and sooner while little is saved. */
export interface CheckpointPace {
  /** Counts bytes of what was finished, and of long files as they are read. */
  passed(bytes: number): void;
  /** Whether the time for the next one has come, or enough was read since. */
  readonly isDue: boolean;
  /** Whether too much is in no checkpoint yet for any more to be read. */
  readonly isFarAhead: boolean;
  /** Says that one begins; call what it returns once that one is saved. */
  begin(): () => void;
}

/** Counts from nothing, from now on. */
export function openCheckpointPace(clock: Pick<Clock, 'elapsed'>): CheckpointPace {
  /** Bytes: in all, when a checkpoint was last begun, and in the last one that was saved. */
  let done = 0;
  let tried = { at: clock.elapsed(), done };
  let saved = 0;
  return {
    passed(bytes) {
      done += bytes;
    },
    get isDue() {
      if (clock.elapsed() - tried.at >= everyMs) return true;
      return done - saved >= Math.min(mostBytes, Math.max(leastBytes, saved)) && done - tried.done >= leastBytes;
    },
    get isFarAhead() {
      return done - saved >= mostUnsaved;
    },
    begin() {
      const begun = { at: clock.elapsed(), done };
      tried = begun;
      return () => {
        saved = begun.done;
      };
    },
  };
}
