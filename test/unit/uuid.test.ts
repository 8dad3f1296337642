import { expect, test } from 'vitest';
import { isUuid, newUuidAt } from '../../src/uuid.ts';

test('a new UUID says version 7, its moment, and nothing else that could be foreseen', () => {
  const at = new Date('2026-05-04T01:00:30.123Z');
  const made = Array.from({ length: 1_000 }, () => newUuidAt(at));
  expect(new Set(made).size).toBe(made.length);
  for (const one of made) {
    expect(isUuid(one)).toBe(true);
    expect(one).toMatch(/^.{14}7.{4}[89ab]/);
    expect(Number.parseInt(one.slice(0, 13).replace('-', ''), 16)).toBe(at.getTime());
  }
  const [first = ''] = made;
  expect(first < newUuidAt(new Date(at.getTime() + 1))).toBe(true);
  expect(newUuidAt(new Date(0))).toMatch(/^00000000-0000-7/);
});
