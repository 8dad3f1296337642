import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { finishRun } from '../../../src/database/nights/run-ends.ts';
import { openRunWatch } from '../../../src/database/nights/run-watch.ts';
import { listRunsToGiveWay } from '../../../src/database/nights/turns.ts';
import { hourMs, minuteMs } from '../../../src/durations.ts';
import { AppError } from '../../../src/errors.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { steerNextRun } from '../../../src/flows/nights/steer-run.ts';
import { type NightFixture, type NightResources, openNightFixture } from '../../support/harness/nights.ts';
import { outcome, second, turnsOf } from '../../support/harness/turns.ts';

let fixture: NightFixture;
beforeEach(async () => {
  fixture = await openNightFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const { person, next, several, begin, give, stateOf, database, now } = turnsOf(() => fixture);

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
    expect(run).toMatchObject({ state: 'queued', attempt: 0, errorCode: null, message: null, workedMs: minuteMs });
    expect(run.turnAt).toEqual(new Date(now().getTime() + 9 * minuteMs));
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
        data: { workedMs, turnAt: new Date(now().getTime() + hourMs) },
      });
    await database().run.update({ where: { id: working.runId }, data: { workedMs: minuteMs } });
    await had(bob, minuteMs);
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
    const turnAt = new Date(now().getTime() + hourMs);
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
    await fixture.resources.clock.advance(2 * minuteMs);
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
    await fixture.resources.clock.advance(10 * minuteMs);
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
    expect(run).toMatchObject({ state: 'queued', workedMs: minuteMs, heldUpMs: 20 * second });
    expect(run.turnAt).toEqual(new Date(now().getTime() + 9 * minuteMs));
  });

  test('has two turns at most for it', async () => {
    const { working, resources } = await oneHeldUpFor(10 * minuteMs);
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
    await fixture.resources.clock.advance(minuteMs);
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
    await fixture.resources.clock.advance(4 * minuteMs);
    throw new AppError('source/unavailable', 'The server is away.', { retry: { afterMs: 0 } });
  });
  await fixture.resources.clock.advance(2 * minuteMs);
  await openNight(fixture.resources);
  expect(await several(2)).toEqual([bob, alice]);
});
