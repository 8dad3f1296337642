import { expect, test } from 'vitest';
import { openPace } from '../../../src/sources/http/pace.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

const second = 1_000;
const least = 100;
const slow = { code: 'source/too-slow', message: /fewer than 100 bytes a second over a minute \(LEAST_RATE\)/ };

test('at the least rate over a minute a body goes on, a byte below it ends', async () => {
  for (const bytes of [60 * least, 60 * least - 1]) {
    const clock = manualClock('2026-11-23T01:00:00Z');
    const pace = openPace(clock, least);
    pace.passed(1);
    await clock.advance(60 * second);
    if (bytes === 60 * least) pace.passed(bytes - 1);
    else expect(() => pace.passed(bytes - 1)).toThrow(expect.objectContaining({ code: slow.code }));
  }
});

test('each minute counts by itself: a quick start is no excuse, and less than a minute is not judged', async () => {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const pace = openPace(clock, least);
  pace.passed(1_000_000);
  await clock.advance(59 * second);
  pace.passed(1);
  await clock.advance(second);
  pace.passed(1);
  const drip = async () => {
    for (let seconds = 0; seconds < 60; seconds += 20) {
      await clock.advance(20 * second);
      pace.passed(1);
    }
  };
  await expect(drip()).rejects.toMatchObject({ code: slow.code, message: expect.stringMatching(slow.message) });
});

test('the time in which its reader takes nothing does not count', async () => {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const pace = openPace(clock, least);
  pace.passed(least * 30);
  pace.paused();
  await clock.advance(3_600 * second);
  pace.resumed();
  await clock.advance(30 * second);
  pace.passed(1);
  await clock.advance(30 * second);
  expect(() => pace.passed(1)).toThrow(expect.objectContaining({ code: slow.code }));
});
