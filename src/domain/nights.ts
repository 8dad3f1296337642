import { dayMs, hourMs, minuteMs } from '../durations.ts';

/**
 * What decides when a plan is due: its id, an IANA zone and a window of local times "HH:MM", which may cross midnight. A zone that is not known counts
 * as UTC and a time that is none as midnight: whatever stands in the row of one plan, all others have their nights.
 */
export interface NightPlan {
  id: string;
  zone: string;
  windowStart: string;
  windowEnd: string;
}

/** One date ("YYYY-MM-DD") in the plan's zone, and the moment the plan is due for it. */
export interface Night {
  night: string;
  dueAt: Date;
}

/** The window of one night. */
export interface NightWindow {
  night: string;
  start: Date;
  end: Date;
}

/**
 * The first night that is due after the moment, or the night after the one named. There is exactly one night a date,
 * also where a zone skips the date; a window that crosses midnight counts for the date it starts on.
 */
export function nextNight(plan: NightPlan, after: Date | string): Night {
  const share = shareOf(plan.id);
  if (typeof after === 'string') return nightOf(plan, addDays(after, 1), share);
  let next = nightOf(plan, addDays(dateIn(plan.zone, after), -2), share);
  while (next.dueAt <= after) next = nightOf(plan, addDays(next.night, 1), share);
  return next;
}

/**
 * The nights of a plan that became due: the latest of those that have come, which is caught up once for all that
 * were missed, with its window, and the one to wait for.
 */
export function turnOver(plan: NightPlan & { nextNight: string }, at: Date): { window: NightWindow; next: Night } {
  const next = nextNight(plan, at);
  const latest = addDays(next.night, -1);
  if (latest >= plan.nextNight || !isDate(plan.nextNight)) return { window: windowOf(plan, latest), next };
  return { window: windowOf(plan, plan.nextNight), next: nextNight(plan, plan.nextNight) };
}

/** The latest window of a plan that is over at the moment. */
export function lastWindow(plan: Omit<NightPlan, 'id'>, at: Date): NightWindow {
  return latestWindow(plan, at, 'end');
}

/** The latest window that has begun. */
export function latestBegun(plan: Omit<NightPlan, 'id'>, at: Date): NightWindow {
  return latestWindow(plan, at, 'start');
}

/**
 * The latest night that has begun at the moment, of all plans with these hours (there must be some). A night is made of the windows that open between
 * one noon and the next in the zone, from the first opening to the last end; it is named by the date of the midnight in it.
 */
export function latestNightOfAll(
  hours: readonly Omit<NightPlan, 'id'>[],
  zone: string,
  at: Date,
  bound: 'start' | 'end',
): NightWindow {
  for (let date = addDays(dateIn(zone, at), 1); ; date = addDays(date, -1)) {
    const night = nightOfAll(hours, zone, date);
    if (night !== undefined && night[bound] <= at) return night;
  }
}

function nightOfAll(hours: readonly Omit<NightPlan, 'id'>[], zone: string, night: string): NightWindow | undefined {
  const [from, to] = [addDays(night, -1), night].map((date) => instantOf(zone, date, '12:00')) as [number, number];
  const begun = hours
    .flatMap((one) => [-2, -1, 0, 1].map((days) => windowOf(one, addDays(night, days))))
    .filter(({ start }) => start.getTime() >= from && start.getTime() < to);
  if (begun.length === 0) return undefined;
  const start = new Date(Math.min(...begun.map((window) => window.start.getTime())));
  return { night, start, end: new Date(Math.max(...begun.map((window) => window.end.getTime()))) };
}

/** The windows of a plan that are not over at the moment, one night after the other, from `nextNight` on. */
export function* windowsToCome(
  plan: Omit<NightPlan, 'id'> & { nextNight: string },
  at: Date,
): Generator<NightWindow, never> {
  const latest = latestBegun(plan, at);
  let night = latest.end > at ? latest.night : addDays(latest.night, 1);
  if (night < plan.nextNight && isDate(plan.nextNight)) night = plan.nextNight;
  for (; ; night = addDays(night, 1)) yield windowOf(plan, night);
}

function latestWindow(plan: Omit<NightPlan, 'id'>, at: Date, bound: 'start' | 'end'): NightWindow {
  const { windows: known } = latestAt(at);
  const key = `${bound} ${plan.windowStart} ${plan.windowEnd} ${plan.zone}`;
  const window = known.get(key) ?? computeLatestWindow(plan, at, bound);
  known.set(key, window);
  return window;
}

/** Many plans are looked at at one moment, and share their windows and dates. */
let latest = { at: Number.NaN, windows: new Map<string, NightWindow>(), dates: new Map<string, string>() };

function latestAt(at: Date): typeof latest {
  if (at.getTime() !== latest.at || latest.windows.size >= mostWindows || latest.dates.size >= mostWindows)
    latest = { at: at.getTime(), windows: new Map(), dates: new Map() };
  return latest;
}

function computeLatestWindow(plan: Omit<NightPlan, 'id'>, at: Date, bound: 'start' | 'end'): NightWindow {
  const today = dateIn(plan.zone, at);
  for (const night of [today, addDays(today, -1)]) {
    const window = windowOf(plan, night);
    if (window[bound] <= at) return window;
  }
  return windowOf(plan, addDays(today, -2));
}

/** The calendar date in the zone at a moment. */
export function dateIn(zone: string, at: Date): string {
  const { dates } = latestAt(at);
  const date = dates.get(zone) ?? dateOf(at.getTime() + offsetAt(zone, at.getTime()));
  dates.set(zone, date);
  return date;
}

/** From one noon to the next in a zone: of every window, whatever its zone, one night begins in it. */
export function nightAround(zone: string, at: Date): { date: string; from: Date; to: Date } {
  const today = dateIn(zone, at);
  const noon = (date: string) => new Date(instantOf(zone, date, '12:00'));
  const date = at < noon(today) ? addDays(today, -1) : today;
  return { date, from: noon(date), to: noon(addDays(date, 1)) };
}

/** Whether the zone's clocks show this moment a second time, before or after: they are set back by then. */
export function isShownTwice(zone: string, at: Date | number): boolean {
  const moment = Number(at);
  const local = moment + offsetAt(zone, moment);
  return [moment - dayMs, moment + dayMs].some((other) => {
    const twin = local - offsetAt(zone, other);
    return twin !== moment && twin + offsetAt(zone, twin) === local;
  });
}

/** When a calendar date ("YYYY-MM-DD") begins in the zone. */
export function startOfDay(zone: string, date: string): Date {
  return new Date(instantOf(zone, date, '00:00'));
}

/** Whether the name is an IANA zone that this Node.js knows. */
export function isValidZone(zone: string): boolean {
  return formatterOf(zone) !== null;
}

function nightOf(plan: NightPlan, night: string, share: number): Night {
  const { start, end } = windowOf(plan, night);
  const minutes = Math.floor(((end.getTime() - start.getTime()) / minuteMs) * share);
  return { night, dueAt: new Date(start.getTime() + minutes * minuteMs) };
}

const windows = new Map<string, readonly [start: number, end: number]>();
const mostWindows = 1_000;

/** Most plans share their window with many: where it begins and ends is computed once. */
function windowOf({ zone, windowStart, windowEnd }: Omit<NightPlan, 'id'>, night: string): NightWindow {
  const key = `${night} ${windowStart} ${windowEnd} ${zone}`;
  const known = windows.get(key);
  const [start, end] = known ?? spanOf(zone, night, timeOr(windowStart), timeOr(windowEnd));
  if (known === undefined) {
    if (windows.size >= mostWindows) windows.clear();
    windows.set(key, [start, end]);
  }
  return { night, start: new Date(start), end: new Date(end) };
}

function timeOr(text: string): string {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(text) ? text : '00:00';
}

/** Whether it is one of the years that dates are computed with. */
function isDate(text: string): boolean {
  return /^[12]\d{3}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
}

/**
 * Where clocks are set forward over all of a window, it is as long as on other days, from the first moment after the gap on: nobody would
 * have a time in which they are not late yet, and all would be due at once. It ends before that of the next date begins.
 */
function spanOf(zone: string, night: string, windowStart: string, windowEnd: string): readonly [number, number] {
  const tomorrow = addDays(night, 1);
  const start = instantOf(zone, night, windowStart);
  const endDate = windowEnd <= windowStart ? tomorrow : night;
  const end = instantOf(zone, endDate, windowEnd);
  if (end > start) return [start, end];
  const length = Date.parse(`${endDate}T${windowEnd}Z`) - Date.parse(`${night}T${windowStart}Z`);
  return [start, Math.min(start + length, instantOf(zone, tomorrow, windowStart))];
}

/**
 * Where in the window a plan has its place, from 0 to just under 1: always the same, and evenly spread over plans, whose ids are random
 * (RFC 9562, version 4). Those that are due together lie side by side in each index that begins with their id, so that a minute writes few of its pages.
 */
function shareOf(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16) / 2 ** 32;
}

/** The moment of a local time: the first of two where clocks are set back, the first after a gap it falls into. */
function instantOf(zone: string, date: string, time: string): number {
  const local = Date.parse(`${date}T${time}Z`);
  const offsets = [offsetAt(zone, local - dayMs), offsetAt(zone, local + dayMs)];
  const moments = offsets.map((offset) => local - offset).sort((a, b) => a - b);
  const found = moments.find((moment) => moment + offsetAt(zone, moment) === local);
  return found ?? afterGap(zone, local, moments);
}

/** Halves the span between the readings by either offset until it holds the second at which clocks jump over `local`. */
function afterGap(zone: string, local: number, [before = local, after = local]: number[]): number {
  let [early, late] = [before, after];
  while (late - early > 1_000) {
    const middle = early + Math.floor((late - early) / 2_000) * 1_000;
    if (middle + offsetAt(zone, middle) < local) early = middle;
    else late = middle;
  }
  return late;
}

/** Milliseconds that the zone's clocks are ahead of UTC at a moment. */
function offsetAt(zone: string, moment: number): number {
  const [, sign, hours, minutes, seconds = '0'] =
    /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(formatterOf(zone)?.format(moment) ?? '') ?? [];
  if (sign === undefined) return 0;
  const ahead = Number(hours) * hourMs + Number(minutes) * minuteMs + Number(seconds) * 1_000;
  return sign === '-' ? -ahead : ahead;
}

const formatters = new Map<string, Intl.DateTimeFormat | null>();
/** More than there are names of zones; each can be written in thousands of ways, though, in small letters and in capitals. */
const mostZones = 1_000;

/** No name of a zone is longer. */
const longestZone = 64;

/** Null for a zone that is not known. Making a formatter costs a thousand times its use. */
function formatterOf(zone: string): Intl.DateTimeFormat | null {
  if (zone.length > longestZone) return null;
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const formatter = makeFormatter(zone);
  if (formatters.size >= mostZones) formatters.clear();
  formatters.set(zone, formatter);
  return formatter;
}

function makeFormatter(zone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch {
    return null;
  }
}

/** How many days the one calendar date ("YYYY-MM-DD") is before the other. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00Z`) - Date.parse(`${from}T00:00Z`)) / dayMs);
}

const datesLater = new Map<string, string>();

/** The calendar date this number of days later. It is remembered, since it is asked for each of many plans. */
export function addDays(date: string, days: number): string {
  const key = `${date} ${days}`;
  const known = datesLater.get(key);
  if (known !== undefined) return known;
  if (datesLater.size >= mostWindows) datesLater.clear();
  const later = dateOf(Date.parse(`${date}T00:00Z`) + days * dayMs);
  datesLater.set(key, later);
  return later;
}

function dateOf(moment: number): string {
  return new Date(moment).toISOString().slice(0, 10);
}
