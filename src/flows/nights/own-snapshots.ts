import { timestampMs } from '../../store/format/timestamp.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';

/** The host name of Nightkeep's snapshots, the same every night: stock restic groups by it, and a person's own have others. */
export const ownHostname = 'nightkeep';

const dayMs = 86_400_000;

/** Whether Nightkeep made it, and not a person's own restic. */
export function isOwn({ snapshot: { hostname } }: SavedSnapshot): boolean {
  return hostname === ownHostname;
}

/**
 * Nightkeep's own among these, in their order. What a clock that was wrong dated into the future does not count where there is
 * another: it would be the newest for years.
 */
export function ownOf(saved: readonly SavedSnapshot[], now: Date): readonly SavedSnapshot[] {
  const own = saved.filter(isOwn);
  const past = own.filter(({ snapshot }) => timestampMs(snapshot.time) < now.getTime() + dayMs);
  return past.length > 0 ? past : own;
}
