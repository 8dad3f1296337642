import { expect, test } from 'vitest';
import { greatChangeOf } from '../../../src/domain/great-change.ts';

test.each([
  ['all of many are gone', { before: 5_390, gone: 5_390, changed: 0 }, 'loss'],
  ['half of twenty are gone', { before: 20, gone: 10, changed: 0 }, 'loss'],
  ['all have another content', { before: 300, gone: 0, changed: 300 }, 'change'],
  ['some are gone and more changed, half of them together', { before: 100, gone: 20, changed: 30 }, 'change'],
  ['less than half are gone', { before: 20, gone: 9, changed: 0 }, undefined],
  ['all of a few are gone', { before: 19, gone: 19, changed: 0 }, 'loss'],
  ['the only one is gone', { before: 1, gone: 1, changed: 0 }, 'loss'],
  ['all but one of a few are gone', { before: 19, gone: 18, changed: 0 }, undefined],
  ['the only one has another content', { before: 1, gone: 0, changed: 1 }, undefined],
  ['there were none', { before: 0, gone: 0, changed: 0 }, undefined],
] as const)('a great change is told by what became of the entries: %s', (_, changes, kind) => {
  expect(greatChangeOf(changes)).toBe(kind);
});
