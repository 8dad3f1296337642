import { describe, expect, test } from 'vitest';
import { openSpots } from '../../../src/store/archiver/spots.ts';

/** Numbers from 0 to 1, the same each time. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

describe('the sample of unchanged entries', () => {
  test('is all of few files', () => {
    const spots = openSpots({ files: 5, random: () => 0.5 });
    expect([spots.pass(2), spots.pass(0), spots.pass(3)]).toEqual([[0, 1], [], [0, 1, 2]]);
    expect(spots.pass(100)).toEqual([]);
  });

  test('has as many of many as it may, wherever they are passed', () => {
    for (const random of [() => 0, () => 0.999_999, chance(7)]) {
      const spots = openSpots({ files: 10_000, random });
      const found = Array.from({ length: 100 }, () => spots.pass(100)).flat();
      expect(found).toHaveLength(16);
      expect(found.every((at) => at >= 0 && at < 100)).toBe(true);
    }
  });

  test('has each file with about the same chance', () => {
    const times = new Array<number>(100).fill(0);
    const random = chance(42);
    for (let night = 0; night < 5_000; night++)
      for (const at of openSpots({ files: 100, random, entries: 10 }).pass(100)) times[at] = (times[at] ?? 0) + 1;
    expect(Math.min(...times)).toBeGreaterThan(400);
    expect(Math.max(...times)).toBeLessThan(600);
  });

  test('takes no more bytes than it may', () => {
    const spots = openSpots({ files: 10, random: () => 0, bytes: 100 });
    expect([60, 60, 40, 1, 0].map((size) => spots.afford(size))).toEqual([true, false, true, false, true]);
  });

  test('is empty where the parent has no files', () => {
    expect(openSpots({ files: 0, random: () => 0 }).pass(10)).toEqual([]);
  });
});
