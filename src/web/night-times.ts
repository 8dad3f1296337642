import { timestampMs } from '../store/format/timestamp.ts';

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

/** Made once for each zone that somebody lives in, as they are slow to make. */
const made = new Map<string, NightTimes>();

export function nightTimesIn(zone: string): NightTimes {
  const times = made.get(zone) ?? makeTimes(zone);
  made.set(zone, times);
  return times;
}

function makeTimes(zone: string): NightTimes {
  const format = (options: Intl.DateTimeFormatOptions, locale = 'en-GB') => {
    const written = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone });
    return (text: string) => {
      const ms = timestampMs(text);
      return Number.isNaN(ms) ? text : written.format(ms);
    };
  };
  const clock = { hour: '2-digit', minute: '2-digit' } as const;
  return {
    zone,
    longDay: format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    shortDay: format({ day: 'numeric', month: 'short' }),
    moment: format({ day: 'numeric', month: 'short', year: 'numeric', ...clock }),
    time: format(clock),
    date: format({ dateStyle: 'short' }, 'sv-SE'),
  };
}
