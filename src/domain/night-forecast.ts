import type { Hours } from './hours.ts';
import { type NightWindow, windowsToCome } from './nights.ts';
import { type Rate, stepOf } from './rate.ts';

/** Plans that go on, or do so again from then on, have the same hours, and wait for the same night. */
export interface PlansAlike extends Hours {
  readonly nextNight: string;
  readonly pausedUntil?: Date | null;
  readonly plans: number;
}

/** So many backups become due in that time. */
export interface BusyHours {
  readonly from: Date;
  readonly to: Date;
  readonly plans: number;
}

/**
 * The busiest hours to come. Of all spans from the opening of a window to the end of the same or another one that contain a whole window, it is
 * the one in which the most backups become due for its length. Each plan counts with the next window that opens after the moment; plans that are
 * still paused then are left out. Workers and a provider that are fast enough for these hours are fast enough for every window. Null where there are no plans.
 */
export function busiestHours(all: readonly PlansAlike[], at: Date): BusyHours | null {
  const alike = all.filter((group) => !group.pausedUntil || group.pausedUntil <= nextWindow(group, at).start);
  const next = alike.map((group) => nextWindow(group, at));
  const ends = momentsOf(next.map(({ end }) => end));
  const due = dueBy(alike, at, ends.at(-1) ?? 0);
  let busiest: { from: number; to: number; plans: number } | null = null;
  let firstEnd = Number.POSITIVE_INFINITY;
  const opening = next.toSorted((one, other) => other.start.getTime() - one.start.getTime());
  for (const [index, { start, end }] of opening.entries()) {
    const from = start.getTime();
    firstEnd = Math.min(firstEnd, end.getTime());
    if (opening[index + 1]?.start.getTime() === from) continue;
    for (const to of ends) {
      if (to < firstEnd) continue;
      const plans = (due.get(to) ?? 0) - (due.get(from) ?? 0);
      if (busiest === null || plans / (to - from) >= (busiest.plans / (busiest.to - busiest.from)) * almost)
        busiest = { from, to, plans };
    }
  }
  return busiest && { from: new Date(busiest.from), to: new Date(busiest.to), plans: Math.round(busiest.plans) };
}

/** Of spans that are equally busy, apart from rounding, the first and longest is taken. */
const almost = 1 - 1e-9;

function nextWindow(group: PlansAlike, at: Date): NightWindow {
  // On a date that the zone skips it has no length.
  for (const window of windowsToCome(group, at)) if (window.start > at && window.end > window.start) return window;
  throw new Error('There is a window each day.');
}

/** How many backups become due by each moment at which a window opens or ends until then: the plans are spread evenly over what is left of theirs. */
function dueBy(alike: readonly PlansAlike[], at: Date, until: number): Map<number, number> {
  const changes = new Map<number, number>();
  const change = (moment: number, rate: number) => changes.set(moment, (changes.get(moment) ?? 0) + rate);
  for (const group of alike)
    for (const window of windowsToCome(group, at)) {
      const [start, end] = [Math.max(window.start.getTime(), at.getTime()), window.end.getTime()];
      if (start >= until) break;
      if (end <= start) continue;
      change(start, group.plans / (end - start));
      change(end, -group.plans / (end - start));
    }
  const due = new Map<number, number>();
  let [plans, rate, last] = [0, 0, 0];
  for (const moment of momentsOf([...changes.keys()])) {
    plans += rate * (moment - last);
    rate += changes.get(moment) ?? 0;
    last = moment;
    due.set(moment, plans);
  }
  return due;
}

function momentsOf(moments: readonly (Date | number)[]): number[] {
  return [...new Set(moments.map(Number))].sort((one, other) => one - other);
}

/** What the busiest hours have to do, and with what. */
export interface NightAhead {
  readonly hours: BusyHours | null;
  /** How often tokens may be refreshed at the provider; undefined: as often as needed. */
  readonly rate: Rate | undefined;
  /** Refreshes for each backup, lately. */
  readonly refreshesEach: number;
  /** How long a worker had one of the last backups, on average; null where nothing is known. */
  readonly typicalMs: number | null;
  /** Backups that all workers have in hand at once; 0 where nothing is known. */
  readonly places: number;
}

/** Whether the windows to come hold the backups that become due in them, by the busiest hours. */
export interface NightForecast extends BusyHours {
  /** How long these hours are. */
  readonly windowMs: number;
  /** How long the provider needs at the rate that it may be asked at; null where there is none. */
  readonly providerMs: number | null;
  /** How long the workers need; null where nothing is known of them. */
  readonly workersMs: number | null;
  /** The longer of the two, and whose it is. */
  readonly neededMs: number;
  readonly by: 'provider' | 'workers';
  readonly holds: boolean;
}

/** Foresees how long the busiest hours need; null where nothing is to come, or nothing is known that it could be foreseen by. */
export function forecastNight(ahead: NightAhead): NightForecast | null {
  const { hours, rate, refreshesEach, typicalMs, places } = ahead;
  if (hours === null) return null;
  const { plans, from, to } = hours;
  const windowMs = to.getTime() - from.getTime();
  const providerMs = rate === undefined ? null : plans * refreshesEach * stepOf(rate);
  const workersMs = typicalMs === null || places === 0 ? null : (plans * typicalMs) / places;
  if (providerMs === null && workersMs === null) return null;
  const neededMs = Math.max(providerMs ?? 0, workersMs ?? 0);
  const by = neededMs === providerMs ? 'provider' : 'workers';
  return { plans, from, to, windowMs, providerMs, workersMs, neededMs, by, holds: neededMs <= windowMs };
}
