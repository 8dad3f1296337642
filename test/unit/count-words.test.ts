import { expect, test } from 'vitest';
import { countUpTo, countWords } from '../../src/count-words.ts';

test.each([
  [0, '0 files'],
  [1, '1 file'],
  [2, '2 files'],
])('%d is said as %s', (count, words) => {
  expect(countWords(count, 'file')).toBe(words);
});

test('a word of its own is said of many', () => {
  expect(countWords(2, 'person', 'people')).toBe('2 people');
});

test.each([
  [1, '1 file'],
  [999, '999 files'],
  [1000, '1000 files or more'],
])('%d of what is counted up to a thousand is said as %s', (count, words) => {
  expect(countUpTo(count, 1000, 'file')).toBe(words);
});
