import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDuration, writeDuration } from '../../../demo/duration.ts';

test('days, hours, minutes and seconds are read', () => {
  expect(['30d', '12h', ' 5m', '90s', '0s'].map(readDuration)).toEqual([2_592_000, 43_200, 300, 90, 0]);
  expect(['', '30', 'd', '1.5h', '-1d', '1w', '1d 2h'].map(readDuration)).toEqual(Array(7).fill(undefined));
});

test('what is written is read as the same, in the largest unit that needs no fraction', () => {
  expect([2_592_000, 5400, 61, 0].map(writeDuration)).toEqual(['30d', '90m', '61s', '0s']);
  fc.assert(fc.property(fc.nat(999_999), (seconds) => readDuration(writeDuration(seconds)) === seconds));
});
