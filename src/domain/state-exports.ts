import { hourMs } from '../durations.ts';

/** Nightkeep's own state is exported each night: after this long one was missed. */
const lateMs = 36 * hourMs;

/** Whether an export was missed since the last one, or else since there is anything to export; never where there is nothing. */
export function isStateExportLate({ last, since }: { last: Date | null; since: Date | null }, now: Date): boolean {
  const from = last ?? since;
  return from !== null && now.getTime() - from.getTime() > lateMs;
}
