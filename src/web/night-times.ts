import { dateIn } from '../domain/nights.ts';
import { timestampMs } from '../store/format/timestamp.ts';
import type { Texts } from './texts/en.ts';

/** Writes the moments of snapshots and files, which are RFC 3339, in one zone; one that is none stays as it is. */
export interface NightTimes {
  readonly zone: string;
  /** "Tuesday, 17 November 2026". */
  longDay(text: string): string;
  /** "17 Nov". */
  shortDay(text: string): string;
  /** "17 Nov 2026, 02:11". */
  moment(text: string): string;
  /** "02:11". */
  time(text: string): string;
  /** "2026-11-17", as forms have it. */
  date(text: string): string;
}

/** When an entry was changed; empty where its server did not say so, as snapshots then have the first moment of 1970. */
export function changedAt({ mtime }: { readonly mtime: string }, times: NightTimes): string {
  return timestampMs(mtime) === 0 ? '' : times.moment(mtime);
}

const clock = { hour: '2-digit', minute: '2-digit' } as const;

/** The times of snapshots in this zone, in words of this language. */
export function nightTimesIn({ formats }: Texts, zone: string): NightTimes {
  const written = (write: (ms: number) => string) => (text: string) => {
    const ms = timestampMs(text);
    return Number.isNaN(ms) ? text : write(ms);
  };
  const format = (parts: Intl.DateTimeFormatOptions) => written(formats.dates(parts, zone));
  return {
    zone,
    longDay: format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    shortDay: format({ day: 'numeric', month: 'short' }),
    moment: format({ day: 'numeric', month: 'short', year: 'numeric', ...clock }),
    time: format(clock),
    date: written((ms) => dateIn(zone, new Date(ms))),
  };
}
