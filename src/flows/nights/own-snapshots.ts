import { dayMs } from '../../durations.ts';
import { timestampMs } from '../../store/format/timestamp.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';

/** The host name of Nightkeep's snapshots, the same every night: stock restic groups by it, and a person's own have others. */
export const ownHostname = 'nightkeep';

/** Whether Nightkeep made it, and not a person's own restic. */
export function isOwn({ snapshot: { hostname } }: SavedSnapshot): boolean {
  return hostname === ownHostname;
}

/** Whether it is dated into the past: what a clock that was wrong dated into the future would be the newest for years. */
export function isOfPast({ snapshot }: SavedSnapshot, now: Date): boolean {
  return isPastTime(snapshot.time, now);
}

/** The same of the time alone, as a snapshot names it. */
export function isPastTime(time: string, now: Date): boolean {
  return timestampMs(time) < now.getTime() + dayMs;
}

/**
 * Nightkeep's own among these, in their order. What is dated into the future does not count where there is another.
 */
export function ownOf(saved: readonly SavedSnapshot[], now: Date): readonly SavedSnapshot[] {
  const own = saved.filter(isOwn);
  const past = own.filter((one) => isOfPast(one, now));
  return past.length > 0 ? past : own;
}
