import fc from 'fast-check';
import { expect } from 'vitest';
import { parseHttpDate } from '../../../src/sources/http/date.ts';
import { changed, changes, property } from '../property.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (number: number) => String(number).padStart(2, '0');
const timeOf = (date: Date) => date.toISOString().slice(11, 19);
const dayOf = (date: Date, length: number) =>
  ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'][date.getUTCDay()]?.slice(0, length) ??
  '';
const zoned = (date: Date, minutes: number) => {
  const sign = minutes < 0 ? '-' : '+';
  const size = Math.abs(minutes);
  return `${new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, 19)}${sign}${two(Math.trunc(size / 60))}:${two(size % 60)}`;
};

/** Each form that RFC 9110 (section 5.6.7) and RFC 3339 give a moment. */
const forms: readonly ((date: Date, minutes: number) => string)[] = [
  (date) => date.toUTCString(),
  (date) => date.toISOString(),
  (date) =>
    `${dayOf(date, 9)}, ${two(date.getUTCDate())}-${months[date.getUTCMonth()]}-${two(date.getUTCFullYear() % 100)} ${timeOf(date)} GMT`,
  (date) =>
    `${dayOf(date, 3)} ${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${timeOf(date)} ${date.getUTCFullYear()}`,
  zoned,
];

const moments = fc
  .integer({ min: 86_400, max: Date.UTC(2069, 11, 30) / 1000 })
  .map((seconds) => new Date(seconds * 1000));
const written = fc
  .tuple(moments, fc.constantFrom(...forms), fc.integer({ min: -14 * 60, max: 14 * 60 }))
  .map(([date, form, minutes]) => ({ date, text: form(date, minutes) }));

export const dates = [
  property('a date is read in every form that there is', written, ({ date, text }) => {
    expect({ text, read: parseHttpDate(text) }).toEqual({ text, read: date });
  }),
  property(
    'what is like a date is a moment since 1970 or none',
    fc.oneof(
      fc
        .tuple(written, changes('-', ':', '0', ' ', '31', 'Feb', 'GMT', '+01:00', 'T'))
        .map(([{ text }, all]) => changed(text, all)),
      fc.string(),
    ),
    (text) => {
      const read = parseHttpDate(text);
      if (read === undefined) return;
      expect({ text, ms: read.getTime() }).toEqual({ text, ms: expect.any(Number) });
      expect(read.getTime()).toBeGreaterThanOrEqual(0);
      expect(read.getTime() % 1000).toBe(0);
    },
  ),
];
