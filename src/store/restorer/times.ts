import { type Moment, timestampMoment } from '../format/timestamp.ts';

/** A time as it can be given to Node, which takes a number of seconds. */
export interface SettableTime {
  readonly moment: Moment;
  /** The number that comes nearest. */
  readonly seconds: number;
  /** Whether exactly the moment comes of it. A number holds the times of our days to a quarter of a microsecond. */
  readonly isExact: boolean;
}

let last: { readonly text: string; readonly time: SettableTime } | undefined;

/** The time of a node; what is no time becomes 1970. */
export function settableTime(text: string): SettableTime {
  // The times of a node are often the same, and are asked for more than once.
  if (last?.text === text) return last.time;
  const time = nearestTime(text);
  last = { text, time };
  return time;
}

function nearestTime(text: string): SettableTime {
  const moment = timestampMoment(text);
  if (Number.isNaN(moment.seconds)) return { moment: { seconds: 0, nanoseconds: 0 }, seconds: 0, isExact: true };
  if (moment.nanoseconds === 0) return { moment, seconds: moment.seconds, isExact: true };
  const about = moment.seconds + moment.nanoseconds / 1e9;
  const step = 2 ** (Math.floor(Math.log2(Math.abs(about))) - 52);
  let nearest = about;
  let off = Number.POSITIVE_INFINITY;
  for (const steps of [0, 1, -1, 2, -2]) {
    const tried = Math.abs(nanosecondsBetween(cutByNode(about + steps * step), moment));
    if (tried < off) [nearest, off] = [about + steps * step, tried];
    if (off === 0) break;
  }
  return { moment, seconds: nearest, isExact: off === 0 };
}

/** Node takes a negative number for the present, but reads it from text. */
export function asNodeTakesIt(seconds: number): number | string {
  return seconds < 0 ? String(seconds) : seconds;
}

/** The moment that comes of a number: what is below a nanosecond is cut off. */
function cutByNode(time: number): Moment {
  const seconds = Math.trunc(time);
  const nanoseconds = Math.trunc((time - seconds) * 1e9);
  return nanoseconds < 0 ? { seconds: seconds - 1, nanoseconds: nanoseconds + 1e9 } : { seconds, nanoseconds };
}

function nanosecondsBetween(a: Moment, b: Moment): number {
  return (a.seconds - b.seconds) * 1e9 + (a.nanoseconds - b.nanoseconds);
}
