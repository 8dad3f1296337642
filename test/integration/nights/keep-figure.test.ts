import { afterAll, beforeEach, expect, test } from 'vitest';
import { keepFigure } from '../../../src/flows/nights/keep-figure.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';

const fixture = await openDatabaseFixture();
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(() => fixture.database.keptFigure.deleteMany());

/** A figure that takes so long to count, and is another one each time. */
function figure(takesMs: number) {
  const clock = manualClock('2026-05-04T01:00:30Z');
  let elapsed = 0;
  let counted = 0;
  const resources = { database: fixture.database, clock: { ...clock, elapsed: () => elapsed } };
  const ask = (of = 'everybody') =>
    keepFigure(resources, { name: 'figure', of }, async () => {
      elapsed += takesMs;
      counted += 1;
      return counted;
    });
  return { ask, clock };
}

test('what is counted quickly is counted each time', async () => {
  const { ask, clock } = figure(99);
  expect(await ask()).toEqual({ value: 1, at: clock.now() });
  expect(await ask()).toEqual({ value: 2, at: clock.now() });
  expect(await fixture.database.keptFigure.count()).toBe(0);
});

test('what takes long is kept for a hundred times as long, and is counted by one of those who ask then', async () => {
  const { ask, clock } = figure(1_000);
  const first = await ask();
  await clock.advance(99_999);
  expect(await ask()).toEqual(first);
  await clock.advance(1);
  const all = await Promise.all([ask(), ask(), ask()]);
  expect(all.filter(({ value }) => value === 2)).toEqual([{ value: 2, at: clock.now() }]);
  expect(all.filter(({ value }) => value === 1)).toEqual([first, first]);
  expect(await ask()).toEqual({ value: 2, at: clock.now() });
});

test('a figure of something else is not told, and one that became quick is not kept any longer', async () => {
  const slow = figure(1_000);
  expect((await slow.ask('one night')).value).toBe(1);
  expect((await slow.ask('another night')).value).toBe(2);
  expect((await slow.ask('another night')).value).toBe(2);
  const quick = figure(1);
  await quick.clock.advance(100_000);
  expect((await quick.ask('another night')).value).toBe(1);
  expect((await quick.ask('another night')).value).toBe(2);
});
