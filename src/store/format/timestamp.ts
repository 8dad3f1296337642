import { minuteMs } from '../../durations.ts';

/** Times in the repository are RFC 3339 texts with up to nine digits of fraction and an offset, kept as they were written. */

/** The time as Go spells it: no trailing zeros; with the offset of an IANA zone, or Z. */
export function timestamp(date: Date, zone = 'UTC'): string {
  const offset = offsetMinutes(date, zone);
  const local = new Date(clamp(date.getTime()) + offset * minuteMs).toISOString();
  return local.replace(/\.?0*Z$/, '') + offsetText(offset);
}

/** Milliseconds since 1970; NaN for what is no time. */
export function timestampMs(text: string): number {
  const fraction = /\.(\d{3})\d+/;
  return Date.parse(text.replace(fraction, '.$1'));
}

/** A moment to the nanosecond: seconds since 1970, and what is counted forward from there. */
export interface Moment {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** The time to its last digit; NaN for what is no time. */
export function timestampMoment(text: string): Moment {
  const fraction = /\.\d+/.exec(text)?.[0] ?? '';
  const seconds = Date.parse(text.replace(fraction, '')) / 1000;
  return { seconds, nanoseconds: Number(fraction.slice(1, 10).padEnd(9, '0')) };
}

/** Seconds since 1970 with their fraction, as exact as a number holds them; NaN for what is no time. */
export function timestampSeconds(text: string): number {
  const { seconds, nanoseconds } = timestampMoment(text);
  return seconds + nanoseconds / 1e9;
}

const earliest = -62_135_510_400_000;
const latest = Date.UTC(9999, 11, 30);

/** Years outside 1 to 9999 do not fit the text; a day is left for the offset. */
function clamp(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, earliest), latest);
}

function offsetMinutes(date: Date, zone: string): number {
  if (zone === 'UTC' || Number.isNaN(date.getTime())) return 0;
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(date);
  const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
}

function offsetText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}
