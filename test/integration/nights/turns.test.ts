import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { finishRun } from '../../../src/database/nights/run-ends.ts';
import type { ClaimedRun } from '../../../src/database/nights/run-leases.ts';
import { returnRun } from '../../../src/database/nights/run-returns.ts';
import { openRunWatch } from '../../../src/database/nights/run-watch.ts';
import { listRunsToGiveWay, openRunClaims } from '../../../src/database/nights/turns.ts';
import { AppError } from '../../../src/errors.ts';
import { giveWay } from '../../../src/flows/nights/give-way.ts';
import { healRuns } from '../../../src/flows/nights/heal-runs.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { type Outcome, steerNextRun, type Work } from '../../../src/flows/nights/steer-run.ts';
import { type NightFixture, type NightResources, openNightFixture, savePlan } from '../../support/harness/nights.ts';

const second = 1_000;
const minute = 60 * second;
const outcome: Outcome = { state: 'succeeded', snapshotId: 'abc', counts: {}, problems: [], problemCount: 0 };

let fixture: NightFixture;
beforeEach(async () => {
  fixture = await openNightFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const database = () => fixture.resources.database;
const now = () => fixture.resources.clock.now();

/** A plan of somebody on that server, due so many seconds after midnight. */
async function person(host: string, dueIn = 0): Promise<string> {
  const planId = await savePlan(database(), {
    nextDueAt: new Date(Date.parse('2026-05-01T00:00:00Z') + dueIn * second).toISOString(),
  });
  const sources = [{ name: 'files', url: `https://${host}/files/` }];
  await database().plan.update({ where: { id: planId }, data: { sources } });
  return planId;
}

/** Whose run is next. */
async function next(holder = 'first'): Promise<string | undefined> {
  const { concurrency, heavyRuns, turnMs } = fixture.resources.config;
  const run = await openRunClaims(database()).next({ holder, at: now(), concurrency, heavyRuns, turnMs });
  return run === 'full' ? run : run?.planId;
}

const several = async (count: number) => Array.fromAsync({ length: count }, () => next());

/** Works on the run whose turn it is until it is told to end. */
async function begin(resources: NightResources = fixture.resources) {
  const begun = Promise.withResolvers<string>();
  const work: Work = ({ signal, runId }) => {
    begun.resolve(runId);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('a stream was torn'))));
  };
  const ended = steerNextRun(resources, new AbortController().signal, work);
  const runId = await begun.promise;
  const { planId } = await database().run.findUniqueOrThrow({ where: { id: runId } });
  return { planId, runId, ended };
}

/** A worker that has one place. */
const ofOnePlace = (resources: NightResources = fixture.resources): NightResources => ({
  ...resources,
  config: { ...resources.config, concurrency: 1, heavyRuns: 1 },
});
const give = (resources?: NightResources) => giveWay(ofOnePlace(resources));
const stateOf = async (id: string) => (await database().run.findUniqueOrThrow({ where: { id } })).state;

describe('whose turn it is', () => {
  test('is decided by who was due first, whatever stands first in the queue', async () => {
    const late = await person('a.example', 60);
    const early = await person('a.example', 30);
    await fixture.resources.clock.advance(2 * minute);
    await openNight(fixture.resources);
    expect(await several(3)).toEqual([early, late, undefined]);
  });

  test('is given to the server with the fewest runs under way, so that a slow one never has them all', async () => {
    const slow = [await person('slow.example', 1), await person('slow.example', 2), await person('slow.example', 3)];
    const other = await person('other.example', 50);
    const third = await person('third.example', 55);
    await fixture.resources.clock.advance(2 * minute);
    await openNight(fixture.resources);
    expect(await several(5)).toEqual([slow[0], other, third, slow[1], slow[2]]);
  });

  test('counts what an older version queued as of one host, until healing says whose it is', async () => {
    const slow = [await person('slow.example', 1), await person('slow.example', 2), await person('slow.example', 3)];
    const other = await person('other.example', 50);
    await fixture.resources.clock.advance(2 * minute);
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
    await fixture.resources.clock.advance(2 * minute);
    await openNight(fixture.resources);
    expect(await several(3)).toEqual([bob, carol, alice]);
    await database().run.deleteMany();
    await request();
    expect(await next()).toBe(alice);
  });

  test('comes at last to a backup that somebody asked for, though every minute another night is due', async () => {
    const alice = await person('a.example', 9e9);
    await requestRun(fixture.resources, { planId: alice, trigger: 'person' });
    await fixture.resources.clock.advance(25 * 60 * minute);
    await person('a.example', 24.5 * 3600);
    await openNight(fixture.resources);
    expect(await next()).toBe(alice);
  });

  test('of a person for whom an operator asks comes before all others, even where the run waits already', async () => {
    const [, bob] = [await person('a.example'), await person('a.example', 1), await person('a.example', 2)];
    await fixture.resources.clock.advance(minute);
    await openNight(fixture.resources);
    await requestRun(fixture.resources, { planId: bob, trigger: 'operator', by: 'operator:x' });
    expect(await next()).toBe(bob);
  });

  test('goes to one of many workers that ask at once, and to each another', async () => {
    for (let count = 0; count < 12; count++) await person(`${count % 3}.example`, count);
    await fixture.resources.clock.advance(minute);
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
    await fixture.resources.clock.advance(2 * minute);
    expect(await next('second')).toBe(alice);
  });
});

describe('a run that has had a worker for its time', () => {
  async function oneAtWorkAndOneWaiting() {
    const [alice, bob] = [await person('a.example'), await person('a.example', 30)];
    await openNight(fixture.resources);
    const working = await begin();
    expect(working.planId).toBe(alice);
    await fixture.resources.clock.advance(40 * second);
    await openNight(fixture.resources);
    return { alice, bob, working };
  }

  test('lets another go first that waits, keeps its try, and goes on later', async () => {
    const { alice, bob, working } = await oneAtWorkAndOneWaiting();
    await give();
    expect(await stateOf(working.runId)).toBe('running');
    await fixture.resources.clock.advance(20 * second);
    fixture.taken();
    await give();
    await working.ended;
    const run = await database().run.findUniqueOrThrow({ where: { id: working.runId } });
    expect(run).toMatchObject({ state: 'queued', attempt: 0, errorCode: null, message: null, workedMs: minute });
    expect(run.turnAt).toEqual(new Date(now().getTime() + 9 * minute));
    expect(fixture.taken()).toMatchObject([{ runId: working.runId, attempt: 1 }]);
    expect(await several(2)).toEqual([bob, alice]);
  });

  test('goes on where nobody waits, or the queue is paused', async () => {
    await person('a.example');
    await openNight(fixture.resources);
    const working = await begin();
    await fixture.resources.clock.advance(70 * second);
    await give();
    await person('a.example', 60);
    await openNight(fixture.resources);
    await fixture.resources.clock.advance(3 * second);
    await fixture.resources.queues.backUps.pause();
    await give();
    expect(await stateOf(working.runId)).toBe('running');
    await fixture.resources.queues.backUps.resume();
    await give();
    await working.ended;
    expect(await stateOf(working.runId)).toBe('queued');
  });

  test('continues where the turn of those that wait has not come: what was asked for, and what has had as much', async () => {
    const [alice] = [await person('a.example')];
    await openNight(fixture.resources);
    const working = await begin();
    const bob = await person('a.example', 9e9);
    await requestRun(fixture.resources, { planId: bob, trigger: 'person' });
    await fixture.resources.clock.advance(70 * second);
    await give();
    expect(working.planId).toBe(alice);
    expect(await stateOf(working.runId)).toBe('running');
  });

  test('lets a night go first that has had far less, though the turn of that one has not come, and none that has had as much', async () => {
    const { bob, working } = await oneAtWorkAndOneWaiting();
    const had = (planId: string, workedMs: number) =>
      database().run.updateMany({
        where: { planId },
        data: { workedMs, turnAt: new Date(now().getTime() + 60 * minute) },
      });
    await database().run.update({ where: { id: working.runId }, data: { workedMs: minute } });
    await had(bob, minute);
    await fixture.resources.clock.advance(20 * second);
    await give();
    expect(await stateOf(working.runId)).toBe('running');
    await had(bob, 50 * second);
    await give();
    await working.ended;
    expect(await stateOf(working.runId)).toBe('queued');
    expect(await next()).toBe(bob);
  });

  test('lets none go first that waits for what nights before took, and comes before it', async () => {
    const { bob, working } = await oneAtWorkAndOneWaiting();
    const turnAt = new Date(now().getTime() + 60 * minute);
    await database().run.updateMany({ where: { planId: bob }, data: { turnAt } });
    const end = vi.spyOn(fixture.resources.runWatch, 'end');
    await fixture.resources.clock.advance(20 * second);
    await give();
    expect(end).not.toHaveBeenCalled();
    const carol = await person('a.example', 55);
    await openNight(fixture.resources);
    await fixture.resources.clock.advance(3 * second);
    await give();
    await working.ended;
    expect(await stateOf(working.runId)).toBe('queued');
    expect(await several(3)).toEqual([carol, working.planId, bob]);
  });

  /** One at work beside others that wait, where the last runs had a worker for so many seconds each. */
  async function oneAtWorkWhereOthersTook(seconds: readonly number[]) {
    const [, , ...others] = await Array.fromAsync({ length: 2 + seconds.length }, (_, index) =>
      person('a.example', index),
    );
    await fixture.resources.clock.advance(10 * second);
    await openNight(fixture.resources);
    for (const [index, planId] of others.entries())
      await database().run.updateMany({
        where: { planId },
        data: { state: 'succeeded', finishedAt: now(), workedMs: (seconds[index] ?? 0) * second },
      });
    return begin();
  }

  test('is never one that has hardly had as long as is usual, and ends when its turn is over, not up to a second later', async () => {
    const working = await oneAtWorkWhereOthersTook([10, 10, 10, 10, 10]);
    const given = async (ms: number) => {
      await fixture.resources.clock.advance(ms);
      return give();
    };
    await given(10.2 * second);
    expect(await stateOf(working.runId)).toBe('running');
    const ended = vi.fn();
    void working.ended.then(ended);
    const sleep = vi.spyOn(fixture.resources.clock, 'sleep');
    const looking = given(0.8 * second);
    await expect.poll(() => sleep.mock.calls).toEqual([[250, undefined]]);
    expect(ended).not.toHaveBeenCalled();
    await fixture.resources.clock.advance(0.25 * second);
    await looking;
    await working.ended;
    const { state, workedMs } = await database().run.findUniqueOrThrow({ where: { id: working.runId } });
    expect([state, workedMs]).toEqual(['queued', 11.25 * second]);
  });

  test('is as long as three quarters of the last ones took, and an eighth longer: the longer half of those that are alike goes on', async () => {
    const working = await oneAtWorkWhereOthersTook([10, 10, 10, 14, 14, 14, 14, 50]);
    await fixture.resources.clock.advance(14.8 * second);
    await give();
    expect(await stateOf(working.runId)).toBe('running');
    await fixture.resources.clock.advance(second);
    await give();
    await working.ended;
    expect(await stateOf(working.runId)).toBe('queued');
  });

  test('is the longest of all workers, and as many as others wait', async () => {
    const other = fixture.other('second');
    for (const due of [0, 1, 2]) await person('a.example', due);
    await fixture.resources.clock.advance(3 * second);
    await openNight(fixture.resources);
    const first = await begin();
    await fixture.resources.clock.advance(second);
    const another = await begin(other);
    await fixture.resources.clock.advance(2 * minute);
    await give(other);
    await give();
    await first.ended;
    expect([await stateOf(first.runId), await stateOf(another.runId)]).toEqual(['queued', 'running']);
  });

  test('has as long again as in all times before, and its turn before those who came long after it', async () => {
    const { alice, bob, working } = await oneAtWorkAndOneWaiting();
    await fixture.resources.clock.advance(20 * second);
    await give();
    await working.ended;
    await steerNextRun(fixture.resources, new AbortController().signal, async () => outcome);
    expect(await database().run.findFirst({ where: { planId: bob } })).toMatchObject({ state: 'succeeded' });
    await fixture.resources.clock.advance(10 * minute);
    const late = await person('a.example', 11 * 60);
    await openNight(fixture.resources);
    const again = await begin();
    expect(again.planId).toBe(alice);
    await fixture.resources.clock.advance(59 * second);
    await give();
    expect(await stateOf(again.runId)).toBe('running');
    await fixture.resources.clock.advance(second);
    await give();
    await again.ended;
    expect(await next()).toBe(late);
  });
});

describe('a run of a worker whose machine has too much to do', () => {
  async function oneHeldUpFor(ms: number) {
    const [alice, bob] = [await person('a.example'), await person('a.example', 30)];
    await openNight(fixture.resources);
    let heldUp = 5 * second;
    const { clock, database, log } = fixture.resources;
    const runWatch = openRunWatch({ clock, database, log }, () => heldUp);
    const resources = { ...fixture.resources, runWatch };
    const working = await begin(resources);
    expect(working.planId).toBe(alice);
    await clock.advance(70 * second);
    await openNight(resources);
    heldUp += ms;
    return { bob, working, resources };
  }

  test('has its turn though it takes longer for it: the time in which there was no processor for the worker is not its own', async () => {
    const { working, resources } = await oneHeldUpFor(20 * second);
    await give(resources);
    expect(await stateOf(working.runId)).toBe('running');
    await fixture.resources.clock.advance(10 * second);
    await give(resources);
    await working.ended;
    const run = await database().run.findUniqueOrThrow({ where: { id: working.runId } });
    expect(run).toMatchObject({ state: 'queued', workedMs: minute, heldUpMs: 20 * second });
    expect(run.turnAt).toEqual(new Date(now().getTime() + 9 * minute));
  });

  test('has two turns at most for it', async () => {
    const { working, resources } = await oneHeldUpFor(10 * minute);
    await fixture.resources.clock.advance(48 * second);
    await give(resources);
    expect(await stateOf(working.runId)).toBe('running');
    await fixture.resources.clock.advance(2 * second);
    await give(resources);
    await working.ended;
    expect(await stateOf(working.runId)).toBe('queued');
  });

  test('is never worked on for less than nothing, whatever was measured', async () => {
    await oneHeldUpFor(0);
    const { id } = await database().run.findFirstOrThrow({ where: { state: 'running' } });
    const { fence, planId, triedUntil, attempt } = await database().run.findUniqueOrThrow({ where: { id } });
    const run = { id, planId, fence, attempt, triedUntil, userId: id };
    await finishRun(database(), { run, end: outcome, heldUpMs: 5e9, holder: 'first', at: now() });
    expect(await database().run.findUnique({ where: { id } })).toMatchObject({ workedMs: 0, heldUpMs: 70 * second });
  });
});

describe('a run lets nobody go first who would not have its place', () => {
  const worker = (concurrency: number, heavyRuns: number) => ({
    ...fixture.resources,
    config: { ...fixture.resources.config, concurrency, heavyRuns },
  });
  /** One at work for longer than its turn beside others, and one waiting; of these weights. */
  async function atWork(
    resources: NightResources,
    heavy: readonly boolean[],
    waits: { heavy: boolean; workedMs?: number },
  ) {
    for (const index of heavy.keys()) await person('a.example', index);
    await fixture.resources.clock.advance(10 * second);
    await openNight(resources);
    const working: Awaited<ReturnType<typeof begin>>[] = [];
    for (const isHeavy of heavy) {
      const one = await begin(resources);
      await database().run.update({ where: { id: one.runId }, data: { heavy: isHeavy } });
      working.push(one);
      await fixture.resources.clock.advance(second);
    }
    const late = await person('a.example', 11);
    await fixture.resources.clock.advance(minute);
    await openNight(resources);
    await database().run.updateMany({ where: { planId: late }, data: waits });
    await fixture.resources.clock.advance(10 * second);
    const { holder, config } = resources;
    const { runIds } = await listRunsToGiveWay(database(), { holder, at: now(), ...config, heldUp: [] });
    return working.map(({ runId }) => runIds.includes(runId));
  }

  test('since its worker has another place', async () => {
    expect(await atWork(worker(2, 2), [false], { heavy: false })).toEqual([false]);
  });

  test('but to somebody who would: all places are taken', async () => {
    expect(await atWork(worker(2, 2), [false, false], { heavy: false })).toEqual([true, false]);
  });

  test('since it is light, and the worker has heavy ones enough; a heavy one does, though it had less', async () => {
    expect(await atWork(worker(3, 1), [false, true], { heavy: true })).toEqual([false, true]);
  });
});

test('a run that fails after long work lets others go first too, though it may be tried again', async () => {
  const [alice, bob] = [await person('a.example'), await person('a.example', 5 * 60)];
  await openNight(fixture.resources);
  await steerNextRun(fixture.resources, new AbortController().signal, async () => {
    await fixture.resources.clock.advance(4 * minute);
    throw new AppError('source/unavailable', 'The server is away.', { retry: { afterMs: 0 } });
  });
  await fixture.resources.clock.advance(2 * minute);
  await openNight(fixture.resources);
  expect(await several(2)).toEqual([bob, alice]);
});

test('a night comes after others that are due where one of the last nights had a worker for long, until it no longer has', async () => {
  const [alice, bob] = [await person('a.example'), await person('a.example', 60)];
  await openNight(fixture.resources);
  const night = async (ms: number) =>
    steerNextRun(fixture.resources, new AbortController().signal, async () => {
      await fixture.resources.clock.advance(ms);
      return outcome;
    });
  await night(2 * minute);
  expect(await database().run.findFirst({ where: { planId: alice } })).toMatchObject({ workedMs: 2 * minute });
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
  await fixture.resources.clock.advance(2 * minute);
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
  await database().run.updateMany({ data: { workedMs: minute } });
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
  await database().run.updateMany({ data: { workedMs: minute } });
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
    await fixture.resources.clock.advance(minute);
    await openNight(fixture.resources);
    const got = await several(16);
    expect(got.slice(0, 2)).toEqual([heavy[0], heavy[2]]);
    expect(got.slice(2)).toEqual([...light, 'full', 'full']);
    expect(await next('second')).toBe(heavy[1]);
  });

  test('takes a heavy one as soon as one has ended, before light ones that came later', async () => {
    const first = [await person('a.example', 1), await person('a.example', 2), await person('a.example', 3)];
    await fixture.resources.clock.advance(minute);
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
    await fixture.resources.clock.advance(minute);
    await openNight(fixture.resources);
    await database().run.updateMany({ where: { planId: { in: [long, short] } }, data: { workedMs: minute } });
    expect(await several(3)).toEqual([long, late, 'full']);
  });
});

describe('the night of others', () => {
  const places = 4;
  const honestMs = (index: number) => 4_500 + 200 * (index % 6);

  /** When the last of the honest has a backup, in milliseconds, where the hostile never end and are due first. */
  async function nightOf(people: ReadonlyMap<string, number>): Promise<number> {
    const { concurrency, heavyRuns, turnMs } = { concurrency: places, heavyRuns: places, turnMs: minute };
    const inHand = new Map<string, { run: ClaimedRun; endsAt: number }>();
    /** What is left of those that let others go first: what they did is kept. */
    const rests = new Map<string, number>();
    const began = now().getTime();
    const about = () => ({ holder: 'first', at: now() });
    let left = [...people.values()].filter(Number.isFinite).length;
    while (left > 0) {
      for (const { run, endsAt } of inHand.values()) {
        if (now().getTime() < endsAt) continue;
        inHand.delete(run.id);
        expect(await finishRun(database(), { run, end: outcome, ...about() })).toBe(true);
        left -= 1;
      }
      const { runIds } = await listRunsToGiveWay(database(), {
        ...about(),
        concurrency,
        heavyRuns,
        turnMs,
        heldUp: [],
      });
      for (const id of runIds) {
        const { run, endsAt } = inHand.get(id) ?? {};
        if (run === undefined || endsAt === undefined) continue;
        inHand.delete(id);
        rests.set(run.planId, endsAt - now().getTime());
        await returnRun(database(), { run, dueAt: now(), spent: false, yields: true, ...about() });
      }
      while (inHand.size < places) {
        const run = await fixture.resources.runClaims.next({ ...about(), concurrency, heavyRuns, turnMs });
        if (run === null || run === 'full') break;
        const ms = rests.get(run.planId) ?? people.get(run.planId) ?? Number.NaN;
        inHand.set(run.id, { run, endsAt: now().getTime() + ms });
      }
      await fixture.resources.clock.advance(second / 2);
    }
    for (const { run } of inHand.values())
      await finishRun(database(), { run, end: { state: 'cancelled' }, ...about() });
    await database().run.updateMany({ where: { state: 'queued' }, data: { state: 'cancelled' } });
    return now().getTime() - began;
  }

  async function due(people: ReadonlyMap<string, number>, night: string): Promise<void> {
    let index = 0;
    for (const id of people.keys())
      await database().plan.update({
        where: { id },
        data: { nextNight: night, nextDueAt: new Date(now().getTime() - 1_000 + index++) },
      });
    await openNight(fixture.resources);
  }

  test('takes at most 15 % longer with a hostile tenth among them, the first one and the next', {
    timeout: 60_000,
  }, async () => {
    const honest = async () =>
      new Map(
        await Array.fromAsync(
          { length: 36 },
          async (_, index) => [await person('a.example', 9e6), honestMs(index)] as const,
        ),
      );
    const alone = await honest();
    await due(alone, '2026-05-01');
    const first = await nightOf(alone);
    const hostile = await Array.fromAsync(
      { length: 4 },
      async () => [await person('a.example', 9e6), Number.POSITIVE_INFINITY] as const,
    );
    const beside = new Map([...hostile, ...(await honest())]);
    await due(beside, '2026-05-02');
    const slowed = await nightOf(beside);
    await fixture.resources.clock.advance(minute);
    await due(beside, '2026-05-03');
    const later = await nightOf(beside);
    expect(slowed / first).toBeLessThanOrEqual(1.15);
    expect(later / first).toBeLessThanOrEqual(1.03);
    expect(slowed).toBeGreaterThan(first);
  });

  test('takes at most 30 % longer where a sixth of the others takes longer than is usual: they wait for nobody who takes for ever', {
    timeout: 60_000,
  }, async () => {
    const mixed = async () =>
      Array.fromAsync(
        { length: 36 },
        async (_, index) => [await person('a.example', 9e6), index % 6 === 0 ? 7_000 : honestMs(index)] as const,
      );
    const alone = new Map(await mixed());
    await due(alone, '2026-05-01');
    await nightOf(alone);
    await due(alone, '2026-05-02');
    const first = await nightOf(alone);
    const forever = await Array.fromAsync(
      { length: 4 },
      async () => [await person('a.example', 9e6), Number.POSITIVE_INFINITY] as const,
    );
    const beside = new Map([...forever, ...(await mixed())]);
    await due(beside, '2026-05-03');
    const slowed = await nightOf(beside);
    await due(beside, '2026-05-04');
    const later = await nightOf(beside);
    expect(slowed / first).toBeLessThanOrEqual(1.3);
    expect(later / first).toBeLessThanOrEqual(1.03);
  });
});
