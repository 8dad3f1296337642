import { expect, test } from 'vitest';
import { within } from '../../src/clock.ts';
import { manualClock } from '../support/fixtures/manual-clock.ts';

test('work within its time is awaited, and what it fails of is passed on', async () => {
  const clock = manualClock('2030-01-01T00:00:00Z');
  expect(await within(clock, 1_000, async () => 'done')).toBe('done');
  await expect(within(clock, 1_000, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});

test('work that takes longer is not waited for, and hears of it', async () => {
  const clock = manualClock('2030-01-01T00:00:00Z');
  let signal: AbortSignal | undefined;
  const waiting = within(clock, 1_000, (late) => {
    signal = late;
    return new Promise(() => {});
  });
  const ended = expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
  await clock.advance(999);
  expect(signal?.aborted).toBe(false);
  await clock.advance(1);
  await ended;
  expect(signal?.aborted).toBe(true);
});
