import { describe, expect, it } from 'vitest';
import { dayMs } from '../../../src/durations.ts';
import { endWarning } from '../../../src/web/pages/consent-words.ts';
import { texts } from '../../../src/web/texts/en.ts';

const now = new Date('2026-05-04T12:00:00Z');

describe('the end that no exchange puts off', () => {
  it.each([
    ['active', 15 * dayMs, undefined],
    ['active', 14 * dayMs, 'Your consent ends in 14 days'],
    ['suspect', 7 * dayMs - 1, 'Your consent ends in 7 days'],
    ['active', 2 * dayMs, 'Your consent ends in 2 days'],
    ['active', dayMs / 2, 'Your consent ends within a day'],
    ['active', -1, undefined],
    ['withdrawn', dayMs, undefined],
  ])('of a consent that is %s, in %d ms: %s', async (state, left, words) => {
    const told = String(await endWarning(texts, { state, maxDeadline: new Date(now.getTime() + left) }, now, 'UTC'));
    expect(told.includes('Your consent ends')).toBe(words !== undefined);
    if (words !== undefined) expect(told).toContain(words);
  });
});
