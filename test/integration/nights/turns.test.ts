import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { finishRun } from '../../../src/database/nights/run-ends.ts';
import { hourMs, minuteMs } from '../../../src/durations.ts';
import { healRuns } from '../../../src/flows/nights/heal-runs.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { steerNextRun, type Work } from '../../../src/flows/nights/steer-run.ts';
import { type NightFixture, openNightFixture } from '../../support/harness/nights.ts';
import { outcome, second, turnsOf } from '../../support/harness/turns.ts';

let fixture: NightFixture;
beforeEach(async () => {
  fixture = await openNightFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const { person, next, several, database, now } = turnsOf(() => fixture);

describe('whose turn it is', () => {
  test('is decided by who was due first, whatever stands first in the queue', async () => {
    const late = await person('a.example', 60);
    const early = await person('a.example', 30);
    await fixture.resources.clock.advance(2 * minuteMs);
    await openNight(fixture.resources);
    expect(await several(3)).toEqual([early, late, undefined]);
  });

  test('is given to the server with the fewest runs under way, so that a slow one never has them all', async () => {
    const slow = [await person('slow.example', 1), await person('slow.example', 2), await person('slow.example', 3)];
    const other = await person('other.example', 50);
    const third = await person('third.example', 55);
    await fixture.resources.clock.advance(2 * minuteMs);
    await openNight(fixture.resources);
    expect(await several(5)).toEqual([slow[0], other, third, slow[1], slow[2]]);
  });

  test('counts what an older version queued as of one host, until healing says whose it is', async () => {
    const slow = [await person('slow.example', 1), await person('slow.example', 2), await person('slow.example', 3)];
    const other = await person('other.example', 50);
    await fixture.resources.clock.advance(2 * minuteMs);
    await openNight(fixture.resources);
    await database().run.updateMany({ data: { host: '' } });
    expect(await several(2)).toEqual([slow[0], slow[1]]);
    await healRuns(fixture.resources);
    expect(await several(3)).toEqual([other, slow[2], undefined]);
  });

  test('of somebody who presses “Back up now” comes after everybody’s night, on every server, and at once where nobody waits', async () => {
    const [alice, bob, carol] = [
      await person('a.example', 9e9),
      await person('a.example'),
      await person('a.example', 60),
    ];
    const request = () => requestRun(fixture.resources, { planId: alice, trigger: 'person' });
    await request();
    await openNight(fixture.resources);
    await fixture.resources.clock.advance(2 * minuteMs);
    await openNight(fixture.resources);
    expect(await several(3)).toEqual([bob, carol, alice]);
    await database().run.deleteMany();
    await request();
    expect(await next()).toBe(alice);
  });

  test('comes at last to a backup that somebody asked for, though every minute another night is due', async () => {
    const alice = await person('a.example', 9e9);
    await requestRun(fixture.resources, { planId: alice, trigger: 'person' });
    await fixture.resources.clock.advance(25 * hourMs);
    await person('a.example', 24.5 * 3600);
    await openNight(fixture.resources);
    expect(await next()).toBe(alice);
  });

  test('of a person for whom an operator asks comes before all others, even where the run waits already', async () => {
    const [, bob] = [await person('a.example'), await person('a.example', 1), await person('a.example', 2)];
    await fixture.resources.clock.advance(minuteMs);
    await openNight(fixture.resources);
    await requestRun(fixture.resources, { planId: bob, trigger: 'operator', by: 'operator:x' });
    expect(await next()).toBe(bob);
  });

  test('goes to one of many workers that ask at once, and to each another', async () => {
    for (let count = 0; count < 12; count++) await person(`${count % 3}.example`, count);
    await fixture.resources.clock.advance(minuteMs);
    await openNight(fixture.resources);
    const got = await Promise.all(Array.from({ length: 16 }, (_, index) => next(`worker ${index}`)));
    expect(new Set(got.filter((planId) => planId !== undefined)).size).toBe(12);
    expect(got.filter((planId) => planId === undefined)).toHaveLength(4);
  });

  test('comes to a run again whose worker was lost', async () => {
    const alice = await person('a.example');
    await openNight(fixture.resources);
    expect(await next()).toBe(alice);
    expect(await next('second')).toBeUndefined();
    await fixture.resources.clock.advance(2 * minuteMs);
    expect(await next('second')).toBe(alice);
  });
});

test('a night comes after others that are due where one of the last nights had a worker for long, until it no longer has', async () => {
  const [alice, bob] = [await person('a.example'), await person('a.example', 60)];
  await openNight(fixture.resources);
  const night = async (ms: number) =>
    steerNextRun(fixture.resources, new AbortController().signal, async () => {
      await fixture.resources.clock.advance(ms);
      return outcome;
    });
  await night(2 * minuteMs);
  expect(await database().run.findFirst({ where: { planId: alice } })).toMatchObject({ workedMs: 2 * minuteMs });
  await openNight(fixture.resources);
  await night(second);
  const again = async (day: number) => {
    await fixture.resources.clock.advance(Date.parse(`2026-05-0${day}T02:00:00Z`) - now().getTime());
    const nextDueAt = (seconds: number) => new Date(now().getTime() + (seconds - 120) * second);
    for (const [id, due] of [
      [alice, 0],
      [bob, 60],
    ] as const)
      await database().plan.update({
        where: { id },
        data: { nextNight: `2026-05-0${day}`, nextDueAt: nextDueAt(due) },
      });
    await openNight(fixture.resources);
    const order: string[] = [];
    for (let count = 0; count < 2; count++)
      await steerNextRun(fixture.resources, new AbortController().signal, async ({ runId }) => {
        order.push((await database().run.findUniqueOrThrow({ where: { id: runId } })).planId);
        return outcome;
      });
    return order;
  };
  const orders = [await again(2), await again(3), await again(4), await again(5)];
  expect(orders).toEqual([
    [bob, alice],
    [bob, alice],
    [bob, alice],
    [alice, bob],
  ]);
});

test('a night that came to no backup counts as twice as long as it had a worker: it comes after one that took a little longer, but to its end', async () => {
  const [alice, bob] = [await person('a.example'), await person('a.example', 60)];
  const finish = async (state: 'cancelled' | 'succeeded', ms: number) => {
    const run = await fixture.resources.runClaims.next({ ...fixture.resources.config, holder: 'first', at: now() });
    if (run === null || run === 'full') throw new Error('There is a run whose turn it is.');
    await fixture.resources.clock.advance(ms);
    const end = state === 'succeeded' ? outcome : { state };
    await finishRun(database(), { run, end, holder: 'first', at: now() });
    return run.planId;
  };
  await fixture.resources.clock.advance(2 * minuteMs);
  await openNight(fixture.resources);
  expect([await finish('cancelled', 60 * second), await finish('succeeded', 70 * second)]).toEqual([alice, bob]);
  await fixture.resources.clock.advance(Date.parse('2026-05-02T02:00:00Z') - now().getTime());
  const due = { nextNight: '2026-05-02', nextDueAt: new Date(now().getTime() - second) };
  await database().plan.updateMany({ where: { id: { in: [alice, bob] } }, data: due });
  await openNight(fixture.resources);
  expect(await several(2)).toEqual([bob, alice]);
});

test('a worker keeps a quarter of its places for those who have had no turn, and waits with the others', async () => {
  for (const due of [0, 1, 2, 3]) await person('a.example', due);
  await fixture.resources.clock.advance(4 * second);
  await openNight(fixture.resources);
  await database().run.updateMany({ data: { workedMs: minuteMs } });
  expect(await several(4)).toEqual([expect.any(String), expect.any(String), expect.any(String), 'full']);
  expect(await next('second')).not.toBe('full');
  const late = await person('a.example', 4);
  await openNight(fixture.resources);
  expect(await several(2)).toEqual([late, undefined]);
});

test('what had to wait for a place is worked on as soon as there is one', async () => {
  for (const due of [0, 1, 2, 3]) await person('a.example', due);
  await fixture.resources.clock.advance(4 * second);
  await openNight(fixture.resources);
  await database().run.updateMany({ data: { workedMs: minuteMs } });
  await several(3);
  const waiting = steerNextRun(fixture.resources, new AbortController().signal, async () => outcome);
  await expect.poll(() => database().run.count({ where: { state: 'running' } })).toBe(3);
  await database().run.updateMany({ where: { state: 'running' }, data: { leaseHolder: 'second' } });
  const awaitAdvance = async () => {
    await fixture.resources.clock.advance(second);
    return database().run.count({ where: { state: 'succeeded' } });
  };
  await expect.poll(awaitAdvance).toBe(1);
  expect(await waiting).toMatchObject({ userId: expect.any(String) });
});

test('what waits for a place has it as soon as a run of the same worker ends', async () => {
  for (const due of [0, 1, 2]) await person('a.example', due);
  await fixture.resources.clock.advance(3 * second);
  await openNight(fixture.resources);
  await database().run.updateMany({ data: { heavy: true } });
  Object.assign(fixture.resources.config, { concurrency: 16, heavyRuns: 1 });
  const ends = Promise.withResolvers<void>();
  const work: Work = () => ends.promise.then(() => outcome);
  const steer = () => steerNextRun(fixture.resources, new AbortController().signal, work);
  const all = [steer()];
  await expect.poll(() => database().run.count({ where: { state: 'running' } })).toBe(1);
  const ask = vi.spyOn(fixture.resources.runClaims, 'next');
  all.push(steer(), steer());
  await expect.poll(() => ask.mock.calls.length).toBe(2);
  await Promise.allSettled(ask.mock.results.map(({ value }) => value));
  ends.resolve();
  expect(await Promise.all(all)).toHaveLength(3);
  expect(await database().run.count({ where: { state: 'succeeded' } })).toBe(3);
});

test('what waits for a place asks less and less often', async () => {
  await person('a.example');
  await openNight(fixture.resources);
  await database().run.updateMany({ data: { heavy: true } });
  await person('a.example', 1);
  await fixture.resources.clock.advance(2 * second);
  await openNight(fixture.resources);
  Object.assign(fixture.resources.config, { concurrency: 16, heavyRuns: 1 });
  await next();
  const stop = new AbortController();
  const ask = vi.spyOn(fixture.resources.runClaims, 'next');
  const waiting = steerNextRun(fixture.resources, stop.signal, async () => outcome);
  const counts: number[] = [];
  for (const passed of [0, 1, 2, 4, 8, 8]) {
    await fixture.resources.clock.advance(passed * second);
    await expect.poll(() => ask.mock.calls.length).toBeGreaterThan(counts.length);
    counts.push(ask.mock.calls.length);
    await Promise.allSettled(ask.mock.results.map(({ value }) => value));
  }
  expect(counts).toEqual([1, 2, 3, 4, 5, 6]);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

describe('a worker whose places follow what runs need', () => {
  beforeEach(() => Object.assign(fixture.resources.config, { concurrency: 16, heavyRuns: 2 }));

  /** Somebody whose last backup found so many files, and brought so many bytes. */
  async function backedUp(host: string, dueIn: number, { entries = 400, dataAdded = 1_000 } = {}): Promise<string> {
    const planId = await person(host, dueIn);
    const counts = { entries, dataAdded };
    const times = { dueAt: now(), queuedAt: now(), finishedAt: now(), snapshotId: planId };
    const run = { id: planId, planId, night: '2026-04-30', trigger: 'schedule', state: 'succeeded' as const };
    await database().run.create({ data: { ...run, ...times, counts } });
    return planId;
  }

  test('has many light nights in hand, and few heavy ones: first nights, large repositories, those that brought much', async () => {
    const heavy = [
      await person('a.example', 1),
      await backedUp('a.example', 2, { entries: 60_000 }),
      await backedUp('b.example', 3, { dataAdded: 17 * 1024 ** 2 }),
    ];
    const light = await Array.fromAsync({ length: 12 }, (_, index) => backedUp('a.example', 10 + index));
    await fixture.resources.clock.advance(minuteMs);
    await openNight(fixture.resources);
    const got = await several(16);
    expect(got.slice(0, 2)).toEqual([heavy[0], heavy[2]]);
    expect(got.slice(2)).toEqual([...light, 'full', 'full']);
    expect(await next('second')).toBe(heavy[1]);
  });

  test('takes a heavy one as soon as one has ended, before light ones that came later', async () => {
    const first = [await person('a.example', 1), await person('a.example', 2), await person('a.example', 3)];
    await fixture.resources.clock.advance(minuteMs);
    await openNight(fixture.resources);
    expect(await several(3)).toEqual([first[0], first[1], 'full']);
    for (let index = 0; index < 4; index++) await backedUp('a.example', 60 + index);
    await fixture.resources.clock.advance(10 * second);
    await openNight(fixture.resources);
    expect(await next()).not.toBe('full');
    const ended = { state: 'succeeded' as const, leaseHolder: null, leaseUntil: null };
    await database().run.updateMany({ where: { planId: first[0] ?? '' }, data: ended });
    expect(await next()).toBe(first[2]);
  });

  test('counts among the heavy what had a turn, and keeps a place for those who had none', async () => {
    const [long, short] = [await backedUp('a.example', 1), await backedUp('a.example', 2)];
    const late = await person('a.example', 3);
    await fixture.resources.clock.advance(minuteMs);
    await openNight(fixture.resources);
    await database().run.updateMany({ where: { planId: { in: [long, short] } }, data: { workedMs: minuteMs } });
    expect(await several(3)).toEqual([long, late, 'full']);
  });
});
