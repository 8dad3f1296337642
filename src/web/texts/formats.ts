import { isShownTwice, isValidZone } from '../../domain/nights.ts';
import { hourMs, minuteMs } from '../../durations.ts';

/** Writes numbers, sizes and moments as one language has them. */
export interface Formats {
  /** The tag of the language and its country (BCP 47), by which names are sorted too. */
  readonly locale: string;
  /** "one, two and three". */
  list(words: readonly string[]): string;
  /** "1,234". */
  number(count: number): string;
  /** "1.5 MB", in powers of a thousand. */
  bytes(bytes: number): string;
  /** "12 ms", "1.5 s", "34 s", "12 min", "4.2 h". */
  duration(ms: number): string;
  /** The same in hours: "4.2 h". */
  hours(ms: number): string;
  /**
   * Parts of a moment in a zone; what is written with it is never far from the next, so the means of it are kept. An hour that clocks show
   * twice names which of both it is.
   */
  dates(parts: Intl.DateTimeFormatOptions, zone: string): (at: Date | number) => string;
  /** A moment in a zone, which it names: "4 May 2026, 13:00 BST". */
  time(at: Date, zone?: string): string;
  /** A night by its date, "YYYY-MM-DD": "Saturday, 14 November 2026", or shorter "Sat, 14 Nov 2026". */
  night(night: string, length?: 'long' | 'short'): string;
}

interface Manner {
  /** Of the size of what is smaller than a kilobyte. */
  readonly byte: (count: number) => string;
}

/** The formats of a language. Making a formatter of dates costs a thousand times its use, so each is made once. */
export function formatsIn(locale: string, { byte }: Manner): Formats {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const lists = new Intl.ListFormat(locale);
  const made = new Map<string, Intl.DateTimeFormat>();
  const dates: Formats['dates'] = (parts, zone) => {
    const write = formatter(parts, zone);
    if (parts.hour === undefined || parts.timeZoneName !== undefined) return write;
    const writeOneOfBoth = formatter({ ...parts, timeZoneName: 'short' }, zone);
    return (at) => (isShownTwice(zone, at) ? writeOneOfBoth : write)(at);
  };
  const formatter: Formats['dates'] = (parts, zone) => {
    const key = `${zone} ${JSON.stringify(parts)}`;
    const format =
      made.get(key) ?? new Intl.DateTimeFormat(locale, { ...parts, timeZone: isValidZone(zone) ? zone : 'UTC' });
    if (made.size >= mostMade) made.clear();
    made.set(key, format);
    // German has this for London's winter, and no zone is called so.
    return (at) => format.format(at).replace(/GMT\+0$/, 'GMT');
  };
  return {
    locale,
    dates,
    list: (words) => lists.format(words),
    number: (count) => whole.format(count),
    bytes(bytes) {
      let [size, unit] = [bytes, 0];
      while (size >= 1000 && unit < units.length - 1) {
        size /= 1000;
        unit += 1;
      }
      return `${unit > 0 && size < 10 ? tenths.format(size) : whole.format(size)} ${units[unit] || byte(bytes)}`;
    },
    duration(ms) {
      if (ms < 1000) return `${whole.format(ms)} ms`;
      if (ms < 120_000) return `${(ms < 10_000 ? tenths : whole).format(ms / 1000)} s`;
      return ms < 2 * hourMs ? `${whole.format(ms / minuteMs)} min` : `${tenths.format(ms / hourMs)} h`;
    },
    hours: (ms) => `${tenths.format(ms / hourMs)} h`,
    time: (at, zone = 'UTC') => dates(moment, zone)(at),
    night: (night, length = 'short') => dates(nights[length], 'UTC')(new Date(`${night}T12:00Z`)),
  };
}

/** A zone can be written in thousands of ways, in small letters and in capitals. */
const mostMade = 1_000;

const units = ['', 'KB', 'MB', 'GB', 'TB'];

const moment = {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
} as const;

const nights = {
  long: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  short: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
} as const;
