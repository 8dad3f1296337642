import { expect, test } from 'vitest';
import { type Column, harmless, tableInParts, tableOf } from '../../../src/cli/table.ts';

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

test.each([80, 60, 40, 32, 25])('a table fits %i columns, and what stretches goes on below', (width) => {
  const lines = tableOf(columns, rows, width);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  expect(lines.at(-1)).toBe('bob    1234  short');
  const words = lines.slice(1, -1).map((line) => line.slice(13));
  expect(words.join(' ')).toBe(rows[0]?.words);
  expect(words.length > 1).toBe(width < 54);
});

test('wide characters count twice, and are not broken in half; a long word is broken where the line is full', () => {
  const row = { name: '愛麗絲', size: 1, words: '👩‍👩‍👧 family 0123456789abcdefghij of' };
  expect(tableOf(columns, [row], 30)).toEqual([
    'NAME    SIZE  WORDS',
    '愛麗絲     1  👩‍👩‍👧 family',
    '              0123456789abcdef',
    '              ghij of',
  ]);
});

test.each([24, 10, 1])('at %i columns each row is a paragraph, in which nothing is missing', (width) => {
  const bob = ['NAME   bob', 'SIZE   1234', 'WORDS  short'];
  const alice = ['NAME   alice', 'SIZE   7', 'WORDS  some words that are long enough to be cut'];
  expect(tableOf(columns, rows, width)).toEqual([...alice, '', ...bob]);
  const parts = tableInParts(columns, width);
  expect([[], rows.slice(0, 1), rows.slice(1)].flatMap((part) => parts(part))).toEqual([...alice, '', ...bob]);
});

test('parts that come later go on in paragraphs where they do not fit beside each other any more', () => {
  const parts = tableInParts(columns, 30);
  const wide = { name: 'a name that is too long', size: 1, words: 'short' };
  expect([[rows[1] ?? wide], [wide]].flatMap((part) => parts(part))).toEqual([
    'NAME  SIZE  WORDS',
    'bob   1234  short',
    '',
    'NAME   a name that is too long',
    'SIZE   1',
    'WORDS  short',
  ]);
});

test('what a name could do to a terminal is shown, not sent', () => {
  expect(harmless('a\u001b[2J\nb\u009b\u202ec')).toBe('a\\x1b[2J\\x0ab\\x9b\\u202ec');
  expect(harmless('al\u200bi\u2060c\ufeffe\u00ad\u{e0041}')).toBe('al\\u200bi\\u2060c\\ufeffe\\u00ad\\udb40\\udc41');
  expect(harmless('a\u2066b\u2069\u061cc\u3164')).toBe('a\\u2066b\\u2069\\u061cc\\u3164');
  expect(harmless('pay\u200dpal')).toBe('pay\\u200dpal');
  for (const seen of ['naïve 愛', '👨‍👩‍👧', 'می‌خواهم']) expect(harmless(seen)).toBe(seen);
});

test('what stretches becomes no wider than what it holds where another column is too long', () => {
  const both: readonly Column<Row>[] = [
    { name: 'NAME', of: ({ name }) => name, stretches: true },
    { name: 'WORDS', of: ({ words }) => words, stretches: true },
  ];
  const row = { name: 'bob', size: 1, words: 'one two  three four five six' };
  expect(tableOf(both, [row], 20)).toEqual(['NAME  WORDS', 'bob   one two  three', '      four five six']);
});
