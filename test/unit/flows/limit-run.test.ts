import { expect, test } from 'vitest';
import { minuteMs } from '../../../src/durations.ts';
import { limitRun } from '../../../src/flows/nights/limit-run.ts';
import { openMemoryBudget } from '../../../src/memory-budget.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

const runLimits = { ms: 90 * minuteMs, members: 7, memory: 1_000 };
const clock = manualClock('2026-11-23T01:00:00Z');
const of = (concurrency: number, heavyRuns: number) => ({
  clock,
  config: { runLimits, concurrency, heavyRuns },
  runMemory: openMemoryBudget(runLimits.memory),
});

test('a try may take its time; then it is ended, and may go on later', async () => {
  using limits = limitRun(of(2, 2), { heavy: true });
  await clock.advance(90 * minuteMs - 1);
  expect(limits.timeIsOver.aborted).toBe(false);
  await clock.advance(1);
  expect(limits.timeIsOver.reason).toMatchObject({
    code: 'run/out-of-time',
    message: expect.stringMatching(/longer than 90 minutes without a break \(RUN_TIME\)/),
    retry: { afterMs: 0 },
  });
});

test('runs of one process share its memory equally', () => {
  using limits = limitRun(of(2, 2), { heavy: false });
  expect(limits.memory.take(501)).toBe(false);
  expect(limits.memory.take(500)).toBe(true);
  expect(limits.memory.take(1)).toBe(false);
  limits.memory.give(1);
  expect(limits.memory.take(1)).toBe(true);
});

test('where many are light, a light one has less, all together no more than there is, and each gives back what it had', () => {
  const process = of(16, 2);
  using heavy = limitRun(process, { heavy: true });
  expect(heavy.memory.take(500)).toBe(true);
  const light = Array.from({ length: 5 }, () => limitRun(process, { heavy: false }));
  expect(light.map(({ memory }) => memory.take(126))).toEqual([false, false, false, false, false]);
  expect(light.map(({ memory }) => memory.take(125))).toEqual([true, true, true, true, false]);
  light[0]?.[Symbol.dispose]();
  light[0]?.memory.give(125);
  expect(light[4]?.memory.take(125)).toBe(true);
  expect(light[3]?.memory.take(1)).toBe(false);
});
