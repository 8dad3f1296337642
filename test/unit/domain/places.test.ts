import { expect, test } from 'vitest';
import { fixedPlaces, placesIn } from '../../../src/domain/places.ts';

const gigabyte = 1024 ** 3;

test.each([
  [1, 1, { heavyRuns: 1, concurrency: 3 }],
  [2, 2, { heavyRuns: 1, concurrency: 16 }],
  [4, 2, { heavyRuns: 2, concurrency: 16 }],
  [16, 2, { heavyRuns: 2, concurrency: 16 }],
  [64, 8, { heavyRuns: 8, concurrency: 16 }],
  [0.5, 1, { heavyRuns: 1, concurrency: 1 }],
])('%d GB of memory and %d processors hold %o', (memory, processors, places) => {
  expect(placesIn({ memoryBytes: memory * gigabyte, processors })).toEqual(places);
});

test('a number holds, whatever the runs need', () => {
  expect(fixedPlaces(5)).toEqual({ concurrency: 5, heavyRuns: 5 });
});
