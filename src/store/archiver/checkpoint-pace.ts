import type { Clock } from '../../clock.ts';

/**
 * Less than 10 s of work and 32 MiB are lost: while a checkpoint is being made no more is read than `mostUnsaved` in all, and short
 * files on their way come on top of that. An archive that is young makes the next as
 * soon as it has read as much again: however often it is interrupted, little more than half of what it reads is lost.
 */
const everyMs = 8_000;
const mostBytes = 16 * 1024 * 1024;
const mostUnsaved = 23 * 1024 * 1024;
const leastBytes = 1024 * 1024;

/** Decides when an archive makes its next checkpoint: after eight seconds or 16 MiB, and sooner while little is saved. */
export interface CheckpointPace {
  /** Told of the bytes of what was finished, and of long files on their way. */
  passed(bytes: number): void;
  /** Whether the time for the next one has come, or enough was read since. */
  readonly isDue: boolean;
  /** Whether so much is in no checkpoint that no more may be read. */
  readonly isFarAhead: boolean;
  /** One begins; to be called once it is saved. */
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
