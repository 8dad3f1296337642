import { expect, it } from 'vitest';
import { latestToUse, type Rate, stepOf, waitOf } from '../../../src/domain/rate.ts';

/** Uses a rate at these moments, in milliseconds, and answers how long each has to wait. */
function use(rate: Rate, moments: readonly number[]): number[] {
  let fullAt: Date | null = null;
  return moments.map((ms) => {
    const at = new Date(ms);
    const wait = waitOf(rate, { fullAt, at });
    if (wait === 0) fullAt = new Date(Math.max(fullAt?.getTime() ?? 0, ms) + stepOf(rate));
    return wait;
  });
}

const threeAMinute = { count: 3, spanMs: 60_000 };

it('lets so many pass at once, and then one whenever its part of the time has passed', () => {
  expect(use(threeAMinute, [0, 0, 0, 0, 19_999, 20_000, 20_000])).toEqual([0, 0, 0, 20_000, 1, 0, 20_000]);
});

it('gives all of it back after the time, and never more', () => {
  expect(use(threeAMinute, [0, 0, 0, 60_000, 60_000, 60_000, 60_000])).toEqual([0, 0, 0, 0, 0, 0, 20_000]);
  expect(use(threeAMinute, [0, 9e6, 9e6, 9e6, 9e6])).toEqual([0, 0, 0, 0, 20_000]);
});

it('makes nobody wait longer for asking in vain', () => {
  expect(use(threeAMinute, [0, 0, 0, ...Array(50).fill(10_000), 20_000])).toEqual([
    0,
    0,
    0,
    ...Array(50).fill(10_000),
    0,
  ]);
});

it('waits all of the time where one alone may pass', () => {
  expect(use({ count: 1, spanMs: 5_000 }, [0, 0, 4_999, 5_000])).toEqual([0, 5_000, 1, 0]);
});

it('lets through, however it is asked, no more in any time than twice as many', () => {
  const rate = { count: 7, spanMs: 10_000 };
  const moments = Array.from({ length: 400 }, (_, index) => index * 277 + ((index * index * 7919) % 31));
  const passed = moments
    .sort((a, b) => a - b)
    .filter((_, index, all) => use(rate, all.slice(0, index + 1)).at(-1) === 0);
  for (const from of passed)
    expect(passed.filter((ms) => ms >= from && ms < from + rate.spanMs).length).toBeLessThanOrEqual(14);
  expect(passed.length).toBeGreaterThan(70);
});

it('says by when all of it must be usable again for one more to pass', () => {
  expect(latestToUse(threeAMinute, new Date(0))).toEqual(new Date(40_000));
});
