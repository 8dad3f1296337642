import { expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openLog } from '../../../src/log.ts';
import { type Duty, startDuties } from '../../../worker/duties.ts';
import { eventually } from '../../support/harness/nightkeep.ts';

const clock = systemClock();
const everySecond = '* * * * * *';

function openRecord() {
  const lines: string[] = [];
  const log = openLog({ clock, level: 'debug', write: (line) => lines.push(line) });
  return { resources: { clock, log }, events: () => lines.map((line): string => JSON.parse(line).event) };
}

test('whoever closes waits for the duty under way, whose signal is aborted', async () => {
  const { resources, events } = openRecord();
  const told: string[] = [];
  const finishing = Promise.withResolvers<void>();
  const duty: Duty<typeof resources> = [
    everySecond,
    'tick.failed',
    async (_, signal) => {
      told.push('begun');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      told.push('aborted');
      await finishing.promise;
      told.push('ended');
    },
  ];
  const duties = await startDuties(resources, [everySecond, 'heal.failed', async () => told.push('healed')], [duty]);
  await eventually(() => told.includes('begun'));
  const closed = duties.close(60_000).then(() => told.push('closed'));
  await eventually(() => told.includes('aborted'));
  finishing.resolve();
  await closed;
  expect(told).toEqual(['healed', 'begun', 'aborted', 'ended', 'closed']);
  expect(events()).not.toContain('duty.left');
});

test('a duty that does not end is left after the time of grace, and the log says so', async () => {
  const { resources, events } = openRecord();
  let begun = false;
  const stuck: Duty<typeof resources> = [
    everySecond,
    'tick.failed',
    () => {
      begun = true;
      return new Promise(() => {});
    },
  ];
  const duties = await startDuties(resources, [everySecond, 'heal.failed', async () => undefined], [stuck]);
  await eventually(() => begun);
  await duties.close(10);
  expect(events()).toContain('duty.left');
});

test('a duty that fails is logged under its own event, and keeps nothing from starting', async () => {
  const { resources, events } = openRecord();
  const failing: Duty<typeof resources> = [everySecond, 'heal.failed', () => Promise.reject(new Error('no'))];
  const duties = await startDuties(resources, failing, []);
  await duties.close(10);
  expect(events()).toEqual(['heal.failed']);
});
