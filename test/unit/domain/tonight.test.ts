import { describe, expect, test } from 'vitest';
import { nightAround } from '../../../src/domain/nights.ts';
import { courseOf, expectedEnd, type NightProgress } from '../../../src/domain/tonight.ts';

const now = new Date('2026-05-05T01:00:00Z');
const minutes = (count: number) => new Date(now.getTime() + count * 60_000);
const nothing: NightProgress = {
  succeeded: 0,
  partial: 0,
  failed: 0,
  dropped: 0,
  running: 0,
  waiting: 0,
  again: 0,
  toCome: 0,
  oldestDueAt: null,
  nextDueAt: null,
  lastDueAt: null,
  triedUntil: null,
};
const pace = { ended: 30, ms: 15 * 60_000, typicalMs: 60_000 };

describe('the expected end', () => {
  test('is when what waits has been worked off as of late', () => {
    expect(expectedEnd({ ...nothing, running: 10, waiting: 50 }, pace, now)).toEqual(minutes(30));
  });

  test('is not before the last plan became due and had its time', () => {
    const progress = { ...nothing, waiting: 2, toCome: 5, lastDueAt: minutes(120) };
    expect(expectedEnd(progress, pace, now)).toEqual(minutes(121));
  });

  test.each([
    ['nothing is left', nothing, pace],
    ['too few have ended to tell', { ...nothing, waiting: 50 }, { ...pace, ended: 4 }],
    ['none has ended', { ...nothing, toCome: 50, lastDueAt: minutes(60) }, { ...pace, ended: 0, typicalMs: null }],
  ])('is not said where %s', (_, progress, lately) => {
    expect(expectedEnd(progress, lately, now)).toBeUndefined();
  });
});

test.each([
  ['nobody', nothing, undefined],
  ['to_come', { ...nothing, toCome: 3 }, undefined],
  ['under_way', { ...nothing, succeeded: 1, toCome: 3 }, undefined],
  ['under_way', { ...nothing, running: 2, waiting: 3, oldestDueAt: minutes(-60) }, undefined],
  ['no_worker', { ...nothing, waiting: 3, oldestDueAt: minutes(-15) }, undefined],
  ['on_time', { ...nothing, running: 1, waiting: 3, triedUntil: minutes(60) }, minutes(30)],
  ['too_slow', { ...nothing, running: 1, waiting: 3, triedUntil: minutes(60) }, minutes(90)],
  ['all_well', { ...nothing, succeeded: 7 }, undefined],
  ['over', { ...nothing, succeeded: 7, partial: 1 }, undefined],
  ['over', { ...nothing, succeeded: 7, dropped: 200 }, undefined],
  ['over', { ...nothing, dropped: 3 }, undefined],
  ['under_way', { ...nothing, succeeded: 7, again: 1 }, undefined],
] as const)('the night is %s: %o', (course, progress, expected) => {
  expect(courseOf(progress, { now, expected, paused: false })).toBe(course);
  expect(courseOf(progress, { now, expected, paused: true })).toBe('paused');
});

test.each([
  ['2026-05-05T09:59:00Z', '2026-05-04'],
  ['2026-05-05T10:00:00Z', '2026-05-05'],
  ['2026-05-05T22:30:00Z', '2026-05-05'],
])('a night lasts from noon to noon where it is counted: %s', (at, date) => {
  const night = nightAround('Europe/Berlin', new Date(at));
  expect(night.date).toBe(date);
  expect(night.to.getTime() - night.from.getTime()).toBe(86_400_000);
  expect(night.from.toISOString()).toBe(`${date}T10:00:00.000Z`);
});

test('the night in which clocks change is an hour shorter or longer', () => {
  const { from, to } = nightAround('Europe/Berlin', new Date('2026-10-25T05:00:00Z'));
  expect(to.getTime() - from.getTime()).toBe(25 * 3_600_000);
});
