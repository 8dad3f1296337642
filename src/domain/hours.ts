import { isValidZone, type NightPlan } from './nights.ts';

/** When the nights of a plan are: a zone, and a window of local times "HH:MM", which may cross midnight. */
export type Hours = Omit<NightPlan, 'id'>;

interface Window {
  readonly start: string;
  readonly end: string;
}

/** Runs have their places spread over the window, so it is no moment. */
const leastMinutes = 60;
const day = 1_440;

/** What is wrong with the hours that somebody chose (`outside`: not within those that the operator allows); undefined where nothing is. */
export function faultOfHours(
  { zone, windowStart, windowEnd }: Hours,
  allowed?: Window,
): 'unreadable' | 'short' | 'outside' | undefined {
  const [start, end] = [minutesOf(windowStart), minutesOf(windowEnd)];
  if (start === undefined || end === undefined || !isValidZone(zone)) return 'unreadable';
  const length = span(start, end);
  if (length < leastMinutes) return 'short';
  const [from, to] = [minutesOf(allowed?.start ?? ''), minutesOf(allowed?.end ?? '')];
  if (from === undefined || to === undefined) return undefined;
  return span(from, start) + length <= span(from, to) ? undefined : 'outside';
}

/** Minutes from one time of the day to the next time that it is the other. */
function span(from: number, to: number): number {
  return (to - from + day) % day;
}

function minutesOf(time: string): number | undefined {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? [];
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}
