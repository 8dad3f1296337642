import type { Clock } from '../../clock.ts';
import { countWords } from '../../count-words.ts';
import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';

/** Watches how fast one body comes. The time in which its reader takes nothing does not count. */
export interface Pace {
  /** Counts bytes as they come. Throws `source/too-slow` where too few came in a minute. */
  passed(bytes: number): void;
  paused(): void;
  resumed(): void;
}

/**
 * Servers pause for a moment and go on, so that only what comes in a whole minute is held against the least rate. It needs no timer: a
 * body that says nothing at all is ended by its time limit.
 */
const windowMs = minuteMs;

/** Measures whether at least this many bytes a second arrive. */
export function openPace(clock: Pick<Clock, 'elapsed'>, leastBytesPerSecond: number): Pace {
  let since = clock.elapsed();
  let bytes = 0;
  let pausedAt: number | undefined;
  return {
    passed(count) {
      bytes += count;
      const now = clock.elapsed();
      if (now - since < windowMs) return;
      if (bytes * 1000 < leastBytesPerSecond * (now - since)) throw tooSlow(leastBytesPerSecond);
      since = now;
      bytes = 0;
    },
    paused() {
      pausedAt ??= clock.elapsed();
    },
    resumed() {
      if (pausedAt !== undefined) since += clock.elapsed() - pausedAt;
      pausedAt = undefined;
    },
  };
}

function tooSlow(least: number): AppError {
  return new AppError(
    'source/too-slow',
    `The server sends too slowly: fewer than ${countWords(least, 'byte')} a second over a minute (LEAST_RATE).`,
  );
}
