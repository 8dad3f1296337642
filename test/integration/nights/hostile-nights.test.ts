import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { finishRun } from '../../../src/database/nights/run-ends.ts';
import type { ClaimedRun } from '../../../src/database/nights/run-leases.ts';
import { returnRun } from '../../../src/database/nights/run-returns.ts';
import { listRunsToGiveWay } from '../../../src/database/nights/turns.ts';
import { minuteMs } from '../../../src/durations.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { type NightFixture, openNightFixture } from '../../support/harness/nights.ts';
import { outcome, second, turnsOf } from '../../support/harness/turns.ts';

let fixture: NightFixture;
beforeEach(async () => {
  fixture = await openNightFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const { person, database, now } = turnsOf(() => fixture);

describe('the night of others', () => {
  const places = 4;
  const honestMs = (index: number) => 4_500 + 200 * (index % 6);

  /** When the last of the honest has a backup, in milliseconds, where the hostile never end and are due first. */
  async function nightOf(people: ReadonlyMap<string, number>): Promise<number> {
    const { concurrency, heavyRuns, turnMs } = { concurrency: places, heavyRuns: places, turnMs: minuteMs };
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
    await fixture.resources.clock.advance(minuteMs);
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
