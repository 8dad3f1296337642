/**
 * Dates of HTTP and WebDAV: the three forms of RFC 9110, section 5.6.7, all of them GMT whatever else they say or leave out,
 * and those that servers send instead: a numeric zone after the first, RFC 3339, ISO 8601 without a zone. `Date.parse` takes
 * what has no zone for local time, and the year 1 for 2001.
 */

const months = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const weekday = '(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?';
const month = '([A-Z][a-z]{2})';
const time = String.raw`(\d{2}):(\d{2}):(\d{2})`;
const zone = String.raw`(?: ?(?:GMT|UTC?|Z)? ?([+-]\d{2}:?\d{2})?)`;

/** `Sun, 06 Nov 1994 08:49:37 GMT` and, of the old form, `Sunday, 06-Nov-94 08:49:37 GMT`. */
const imf = new RegExp(String.raw`^${weekday}, (\d{1,2})[ -]${month}[ -](\d{4}|\d{2}) ${time}${zone}$`);
/** `Sun Nov  6 08:49:37 1994`. */
const asctime = new RegExp(String.raw`^${weekday} ${month} ([ \d]?\d) ${time} (?:(?:GMT|UTC) )?(\d{4})$`);
/** `1994-11-06T08:49:37Z`. */
const iso = new RegExp(String.raw`^(\d{4})-(\d{2})-(\d{2})[Tt ]${time}(?:\.\d+)?${zone}$`);

/** The form that nearly all are of, with a time of day that exists. */
const usual = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} [1-9]\d{3} (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d GMT$/;

/**
 * The moment, in whole seconds; undefined where the text is none of these forms, names a day that does not exist, or one before
 * 1970: no file is so old, and servers say years like 1 and 1601 where they know none. A year of two digits is one of 1970 to 2069.
 */
export function parseHttpDate(text: string): Date | undefined {
  const parts = usual.test(text) ? usualParts(text) : partsOf(text.trim());
  if (parts === undefined) return undefined;
  const { year, monthIndex, day, hour, minute, second, offset } = parts;
  const midnight = Date.UTC(year, monthIndex, day);
  const ms = midnight + ((hour * 60 + minute - offset) * 60 + second) * 1000;
  const exists = day > 0 && (day < 29 || new Date(midnight).getUTCDate() === day);
  return year >= 1970 && ms >= 0 && exists && hour < 24 && minute < 60 && second <= 60 ? new Date(ms) : undefined;
}

interface Parts {
  readonly year: number;
  readonly monthIndex: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Minutes east of GMT. */
  readonly offset: number;
}

/** The parts of what is of the usual form, each at its place: a listing has one for each file. */
function usualParts(text: string): Parts | undefined {
  const monthIndex = monthOf(text.slice(8, 11));
  if (monthIndex < 0) return undefined;
  const two = (at: number) => (text.charCodeAt(at) - zero) * 10 + text.charCodeAt(at + 1) - zero;
  const [year, day] = [two(12) * 100 + two(14), two(5)];
  return { year, monthIndex, day, hour: two(17), minute: two(20), second: two(23), offset: 0 };
}

const zero = 0x30;

function partsOf(text: string): Parts | undefined {
  const [, day, name, year, ...rest] = imf.exec(text) ?? [];
  if (day !== undefined) return together(year, monthOf(name), day, rest);
  const [, named, padded, hour, minute, second, last] = asctime.exec(text) ?? [];
  if (named !== undefined) return together(last, monthOf(named), padded, [hour, minute, second]);
  const [, full, number, date, ...after] = iso.exec(text) ?? [];
  return full === undefined ? undefined : together(full, Number(number) - 1, date, after);
}

function together(
  year: string | undefined,
  monthIndex: number,
  day: string | undefined,
  [hour, minute, second, zone]: readonly (string | undefined)[],
): Parts | undefined {
  if (monthIndex < 0 || monthIndex > 11) return undefined;
  return {
    year: fullYear(Number(year), year?.length),
    monthIndex,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    offset: offsetOf(zone),
  };
}

function monthOf(name: string | undefined): number {
  const at = months.indexOf(name ?? '-');
  return at % 3 === 0 ? at / 3 : -1;
}

function fullYear(year: number, digits: number | undefined): number {
  if (digits === 4) return year;
  return year + (year < 70 ? 2000 : 1900);
}

function offsetOf(zone: string | undefined): number {
  if (zone === undefined) return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return zone.startsWith('-') ? -minutes : minutes;
}
