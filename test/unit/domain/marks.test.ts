import { expect, test } from 'vitest';
import { newestOf, noMark, olderIn, raised } from '../../../src/domain/marks.ts';

const mark = { ...noMark, number: 3, rows: { people: 4, 'plans g': 1 }, place: 'b', left: ['a'] };

test('a row is older where its number is below that of the mark, a repository where it is at a place that it has left', () => {
  expect(olderIn(noMark, { rows: { people: 1 }, place: 'a' })).toEqual([]);
  expect(olderIn(mark, { rows: { people: 4, 'plans g': 2, 'plans h': 1 }, place: 'c' })).toEqual([]);
  expect(olderIn(mark, { rows: { people: 3, 'plans g': 0 }, place: 'a' })).toEqual([
    'people',
    'plans g',
    'repositories',
  ]);
});

test('a mark only rises, row by row, and what is older changes nothing of it', () => {
  expect(raised(mark, { rows: { people: 4 }, place: 'b' })).toBeUndefined();
  expect(raised(mark, { rows: { people: 2 }, place: 'a' })).toBeUndefined();
  expect(raised(mark, { rows: { people: 2, 'plans g': 5 }, place: 'c' })).toEqual({
    rows: { people: 4, 'plans g': 5 },
    place: 'c',
    left: ['a', 'b'],
  });
});

test('of several marks the highest counts, and of those of one number all that they say', () => {
  const confirmed = { ...noMark, number: 4, rows: { people: 1 }, place: 'a' };
  expect(newestOf([mark, confirmed])).toEqual(confirmed);
  expect(newestOf([])).toEqual(noMark);
  const other = { ...mark, rows: { people: 2, 'plans g': 9 } };
  expect(newestOf([mark, other])).toMatchObject({ rows: { people: 4, 'plans g': 9 } });
});
