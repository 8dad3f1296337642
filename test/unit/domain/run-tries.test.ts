import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pauseForRetryAfter } from '../../../src/domain/retry-after.ts';
import {
  mayPass,
  nextAfterLostWorker,
  nextTry,
  requestedUntil,
  triedUntil,
  waitsForAll,
} from '../../../src/domain/run-tries.ts';
import { dayMs, hourMs, minuteMs } from '../../../src/durations.ts';

const at = new Date('2026-03-08T01:10:00Z');
const later = (ms: number) => new Date(at.getTime() + ms);

/** When a run is tried that never goes well, from the first try on. */
function tries(untilMs: number, pauseMs = 0): number[] {
  const until = later(untilMs);
  const found = [0];
  for (let now = at, attempt = 1; ; attempt++) {
    const next = nextTry({ attempt, at: now, until, pauseMs });
    if (next === undefined) return found;
    found.push(next.getTime() - at.getTime());
    now = next;
  }
}

const inMinutes = (moments: readonly number[]) => moments.map((ms) => ms / minuteMs);

describe('a run that fails', () => {
  test('is tried ever more slowly, every quarter of an hour at the slowest, and once more just before its time is over', () => {
    expect(inMinutes(tries(2 * hourMs))).toEqual([0, 1, 3, 7, 15, 30, 45, 60, 75, 90, 105, 119]);
  });

  test('waits for as long as it is told to, but never past its time', () => {
    expect(inMinutes(tries(3 * hourMs, 40 * minuteMs))).toEqual([0, 40, 80, 120, 160, 179]);
    expect(inMinutes(tries(30 * minuteMs, 365 * dayMs))).toEqual([0, 29]);
  });

  test.each([0, 30_000, 59_000, minuteMs])('is not tried again where %d ms are left', (left) => {
    expect(tries(left)).toEqual([0]);
  });

  test('is not tried again after its time, however late the failure is known', () => {
    expect(nextTry({ attempt: 3, at, until: later(-hourMs) })).toBeUndefined();
  });

  test('never waits a quarter of an hour and more where it is not told to, and ends, whatever time it has', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 * hourMs }),
        fc.integer({ min: 0, max: 14 * minuteMs }),
        (span, pause) => {
          const moments = tries(span, pause);
          const gaps = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0));
          expect(Math.max(0, ...gaps)).toBeLessThanOrEqual(15 * minuteMs);
          expect(Math.min(minuteMs, ...gaps)).toBe(minuteMs);
          expect(moments.at(-1)).toBeLessThanOrEqual(Math.max(0, span - minuteMs));
        },
      ),
    );
  });
});

describe('the time of a run', () => {
  const windowEnd = later(20 * minuteMs);
  test('is what is left of its window, and the grace', () => {
    expect(triedUntil({ windowEnd, graceMs: 45 * minuteMs, at })).toEqual(later(65 * minuteMs));
  });

  test('is a span of its own where it comes after its window, or was asked for', () => {
    for (const late of [windowEnd, later(7 * hourMs)])
      expect(triedUntil({ windowEnd, graceMs: 45 * minuteMs, at: late })).toEqual(
        new Date(late.getTime() + 4 * hourMs),
      );
    expect(requestedUntil(at)).toEqual(later(4 * hourMs));
  });
});

test('a run whose worker ended in the middle goes on at once, and later where that happens again', () => {
  const pauseOf = (id: string, lost: number) =>
    ((nextAfterLostWorker({ id, lost, at, until: later(5 * hourMs) })?.getTime() ?? 0) - at.getTime()) / minuteMs;
  expect(pauseOf('any', 1)).toBe(0);
  for (const [lost, most] of [
    [2, 1],
    [3, 2],
    [4, 4],
    [6, 15],
    [60, 15],
  ] as const) {
    const pauses = ['one', 'two', 'three', 'four'].map((id) => pauseOf(id, lost));
    for (const pause of pauses) expect(pause).toBeGreaterThan(most / 2);
    for (const pause of pauses) expect(pause).toBeLessThanOrEqual(most);
    expect(new Set(pauses).size).toBe(pauses.length);
  }
});

test('a run whose worker ended in the middle is tried once more before its time is over, and then no more', () => {
  const next = (leftMs: number) => nextAfterLostWorker({ id: 'any', lost: 9, at, until: later(leftMs) });
  expect(next(3 * minuteMs)).toEqual(later(2 * minuteMs));
  expect(next(30_000)).toEqual(at);
  expect(next(0)).toBeUndefined();
  expect(next(-minuteMs)).toBeUndefined();
});

test.each([
  ['provider/unavailable', true],
  ['provider/circuit-open', true],
  ['source/unavailable', true],
  ['source/not-found', true],
  ['source/forbidden', true],
  ['source/malformed', true],
  ['repository/locked', true],
  ['repository/lost-lock', true],
  ['store/unavailable', true],
  ['database/unavailable', true],
  ['grant/busy', true],
  ['grant/fenced', true],
  ['internal', true],
  ['config/invalid', false],
  ['seal/broken', false],
  ['keyring/invalid', false],
  ['grant/not-usable', false],
  ['grant/wrong-subject', false],
  ['repository/wrong-password', false],
])('%s may pass: %s; what says when, always', (code, passes) => {
  expect(mayPass({ code, saysWhen: false })).toBe(passes);
  expect(mayPass({ code, saysWhen: true })).toBe(true);
});

test.each([
  [0, 0],
  [-5_000, 0],
  [1_500, 1_500],
  [hourMs, hourMs],
  [hourMs + 1, hourMs],
  [31_536_000_000, hourMs],
  [Number.POSITIVE_INFINITY, hourMs],
])('a Retry-After of %d ms is obeyed for %d ms', (asked, ms) => {
  expect(pauseForRetryAfter(asked)).toBe(ms);
});

test.each([
  [1, hourMs, true],
  [2, hourMs, true],
  [3, hourMs, false],
  [9, hourMs, false],
  [1, minuteMs / 2, false],
])(
  'of several sources all are waited for in the first tries, while there is time: try %i, %i ms left',
  (attempt, left, waits) => {
    expect(waitsForAll({ attempt, at, until: later(left) })).toBe(waits);
  },
);
