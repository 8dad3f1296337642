import { minuteMs } from '../durations.ts';

/** How far a night is, over all plans. */
export interface NightProgress {
  succeeded: number;
  partial: number;
  failed: number;
  /** Skipped or cancelled: nothing was backed up by them. */
  dropped: number;
  running: number;
  /** Due, and not taken by a worker yet. */
  waiting: number;
  /** Failed before, and due again later. */
  again: number;
  /** Plans that become due in this night. */
  toCome: number;
  /** Since when the one that waits the longest has been due. */
  oldestDueAt: Date | null;
  /** When the first and the last of those to come become due. */
  nextDueAt: Date | null;
  lastDueAt: Date | null;
  /** No try of what is under way begins after this. */
  triedUntil: Date | null;
}

/** What ended lately, whatever it was asked for by. */
export interface Pace {
  /** Runs that ended within `ms`. */
  ended: number;
  ms: number;
  /** How long one of them took, on average; null where none ended. */
  typicalMs: number | null;
}

/** Fewer than this say nothing about those that follow. */
const leastEnded = 5;
/** After a run has been due for this long while none is being worked on, no worker takes runs. The doctor waits as long. */
const silenceMs = 15 * minuteMs;

/**
 * When the night will be over if it goes on as it did lately; undefined where that cannot be said: nothing is left, or too few runs
 * have ended lately.
 */
export function expectedEnd(
  { running, waiting, toCome, lastDueAt }: NightProgress,
  { ended, ms, typicalMs }: Pace,
  now: Date,
): Date | undefined {
  if (running + waiting + toCome === 0 || ended < leastEnded) return undefined;
  const worked = now.getTime() + ((running + waiting) * ms) / ended;
  const last = toCome === 0 ? 0 : (lastDueAt?.getTime() ?? 0) + (typicalMs ?? 0);
  return new Date(Math.max(worked, last));
}

/** How the night goes, as a word that pages turn into a sentence. */
export type NightCourse =
  | 'paused'
  | 'nobody'
  | 'to_come'
  | 'no_worker'
  | 'too_slow'
  | 'on_time'
  | 'under_way'
  | 'all_well'
  | 'over';

/** Judges the night by what is left of it; `on_time` is said only where an end can be expected. */
export function courseOf(
  progress: NightProgress,
  { now, expected, paused }: { now: Date; expected: Date | undefined; paused: boolean },
): NightCourse {
  const { succeeded, partial, failed, dropped, running, waiting, again, toCome, oldestDueAt, triedUntil } = progress;
  const ended = succeeded + partial + failed + dropped;
  const left = running + waiting + again;
  if (paused) return 'paused';
  if (ended + left + toCome === 0) return 'nobody';
  if (running === 0 && oldestDueAt !== null && now.getTime() - oldestDueAt.getTime() >= silenceMs) return 'no_worker';
  if (left === 0 && toCome > 0 && ended === 0) return 'to_come';
  if (left === 0 && toCome === 0) return partial + failed + dropped === 0 ? 'all_well' : 'over';
  if (expected === undefined) return 'under_way';
  return triedUntil !== null && waiting > 0 && expected > triedUntil ? 'too_slow' : 'on_time';
}
