import { expect, test } from 'vitest';
import { shownTime } from '../../../src/web/shown.ts';

test.each([
  ['Europe/London', '2026-05-04T12:00:00Z', '4 May 2026, 13:00 BST'],
  ['Europe/Berlin', '2026-10-25T00:30:00Z', '25 Oct 2026, 02:30 CEST'],
  ['Europe/Berlin', '2026-10-25T01:30:00Z', '25 Oct 2026, 02:30 CET'],
  ['America/New_York', '2026-01-01T03:05:00Z', '31 Dec 2025, 22:05 GMT-5'],
  ['UTC', '2026-09-01T00:00:00Z', '1 Sept 2026, 00:00 UTC'],
])('a moment is written in the zone of the person, which it names: %s', (zone, at, shown) => {
  expect(shownTime(new Date(at), zone)).toBe(shown);
});
