import { expect, test } from 'vitest';
import { texts } from '../../../src/web/texts/en.ts';

const { formats } = texts;

test.each([
  ['Europe/London', '2026-05-04T12:00:00Z', '4 May 2026, 13:00 BST'],
  ['Europe/Berlin', '2026-10-25T00:30:00Z', '25 Oct 2026, 02:30 CEST'],
  ['Europe/Berlin', '2026-10-25T01:30:00Z', '25 Oct 2026, 02:30 CET'],
  ['America/New_York', '2026-01-01T03:05:00Z', '31 Dec 2025, 22:05 GMT-5'],
  ['UTC', '2026-09-01T00:00:00Z', '1 Sept 2026, 00:00 UTC'],
])('a moment is written in the zone of the person, which it names: %s', (zone, at, shown) => {
  expect(formats.time(new Date(at), zone)).toBe(shown);
});

test('sizes go by thousands, and have a tenth where that is much of them', () => {
  const sizes = [0, 1, 999, 1_000, 9_949, 12_345, 1_500_000, 2_000_000_000, 4_321_000_000_000_000];
  expect(sizes.map(formats.bytes)).toEqual([
    '0 bytes',
    '1 byte',
    '999 bytes',
    '1.0 KB',
    '9.9 KB',
    '12 KB',
    '1.5 MB',
    '2.0 GB',
    '4,321 TB',
  ]);
});

test('durations are written in the unit that tells most', () => {
  expect([12, 1_500, 119_000, 120_000].map(formats.duration)).toEqual(['12 ms', '1.5 s', '119.0 s', '2 min']);
});
