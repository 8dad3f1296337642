import { describe, expect, it } from 'vitest';
import { type RunProgress, speedOf, timeLeft } from '../../../src/domain/run-progress.ts';

const progress = (over: Partial<RunProgress>): RunProgress => ({
  step: 'reading',
  entries: 250,
  expected: 1_000,
  problems: 0,
  bytesRead: 4_000_000,
  requests: 300,
  ms: 20_000,
  folder: null,
  ...over,
});

describe('the time left', () => {
  it('is what the rest takes at the pace so far', () => {
    expect(timeLeft(progress({}))).toBe(60_000);
    expect(timeLeft(progress({ entries: 999 }))).toBeCloseTo(20, 0);
  });

  it.each([
    ['at the first backup', { expected: null }],
    ['right after the start', { ms: 9_999 }],
    ['before a tenth is seen', { entries: 99 }],
    ['where the snapshot before was empty', { expected: 0 }],
    ['beyond what the snapshot before held', { entries: 1_000 }],
    ['before the reading', { step: 'repository' }],
    ['after it', { step: 'snapshot' }],
  ] as const)('is not guessed %s', (_, over) => {
    expect(timeLeft(progress(over))).toBeUndefined();
  });
});

describe('the speed', () => {
  it('is bytes a second since the reading began, once there is anything to tell', () => {
    expect(speedOf(progress({}))).toBe(200_000);
    expect(speedOf(progress({ ms: 999 }))).toBeUndefined();
    expect(speedOf(progress({ bytesRead: 0 }))).toBeUndefined();
  });
});
