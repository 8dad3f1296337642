import { expect, test } from 'vitest';
import { limitRun } from '../../../src/flows/nights/limit-run.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

const minute = 60_000;
const runLimits = { ms: 90 * minute, members: 7, memory: 1_000 };

test('a try may take its time; then it is ended, and may go on later', async () => {
  const clock = manualClock('2026-11-23T01:00:00Z');
  using limits = limitRun({ clock, config: { runLimits, concurrency: 2 } });
  await clock.advance(90 * minute - 1);
  expect(limits.timeIsOver.aborted).toBe(false);
  await clock.advance(1);
  expect(limits.timeIsOver.reason).toMatchObject({
    code: 'run/out-of-time',
    message: expect.stringMatching(/longer than 90 minutes \(RUN_TIME\)/),
    retry: { afterMs: 0 },
  });
});

test('runs of one process share its memory equally', () => {
  const clock = manualClock('2026-11-23T01:00:00Z');
  using limits = limitRun({ clock, config: { runLimits, concurrency: 2 } });
  expect(limits.memory.take(501)).toBe(false);
  expect(limits.memory.take(500)).toBe(true);
  expect(limits.memory.take(1)).toBe(false);
  limits.memory.give(1);
  expect(limits.memory.take(1)).toBe(true);
});
