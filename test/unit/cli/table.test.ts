import { expect, test } from 'vitest';
import { type Column, harmless, tableOf } from '../../../src/cli/table.ts';

interface Row {
  name: string;
  size: number;
  words: string;
}

const columns: readonly Column<Row>[] = [
  { name: 'NAME', of: ({ name }) => name },
  { name: 'SIZE', of: ({ size }) => size, right: true },
  { name: 'WORDS', of: ({ words }) => words, stretches: true },
];
const rows = [
  { name: 'alice', size: 7, words: 'some words that are long enough to be cut' },
  { name: 'bob', size: 1234, words: 'short' },
];

test('a table is as wide as what it holds, where nothing limits it', () => {
  expect(tableOf(columns, rows, Number.POSITIVE_INFINITY)).toEqual([
    'NAME   SIZE  WORDS',
    'alice     7  some words that are long enough to be cut',
    'bob    1234  short',
  ]);
});

test.each([80, 60, 40, 32, 26])('a table fits %i columns, and what stretches is cut first', (width) => {
  const lines = tableOf(columns, rows, width);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  expect(lines[2]).toBe('bob    1234  short');
  expect(lines[1]?.endsWith('…')).toBe(width < 54);
});

test('wide characters count twice, and are not cut in half', () => {
  const [, line = ''] = tableOf(columns, [{ name: '愛麗絲', size: 1, words: '👩‍👩‍👧 family of many words' }], 30);
  expect(line).toBe('愛麗絲     1  👩‍👩‍👧 family of ma…');
});

test('what a name could do to a terminal is shown, not sent', () => {
  expect(harmless('a\u001b[2J\nb\u009b\u202ec')).toBe('a\\x1b[2J\\x0ab\\x9b\\u202ec');
  expect(harmless('al\u200bi\u2060c\ufeffe\u00ad\u{e0041}')).toBe('al\\u200bi\\u2060c\\ufeffe\\u00ad\\udb40\\udc41');
  expect(harmless('a\u2066b\u2069\u061cc\u3164')).toBe('a\\u2066b\\u2069\\u061cc\\u3164');
  expect(harmless('pay\u200dpal')).toBe('pay\\u200dpal');
  for (const seen of ['naïve 愛', '👨‍👩‍👧', 'می‌خواهم']) expect(harmless(seen)).toBe(seen);
});
