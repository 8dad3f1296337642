import { afterAll, beforeAll, expect, test } from 'vitest';
import { groupTrouble, listNightOutcomes, listPlansInTrouble } from '../../../src/database/nights/tonight.ts';
import { forecastEnds } from '../../../src/database/people/people.ts';
import { tallyNights } from '../../../src/flows/nights/tally-nights.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { statementsOf } from '../../support/fixtures/sent-statements.ts';
import { type NightFixture, openNightFixture } from '../../support/harness/nights.ts';

const at = new Date('2026-05-04T01:00:00Z');
const date = '2026-05-03';
const [firstDate, lastDate] = ['2026-04-20', '2026-05-04'];

let fixture: NightFixture;
beforeAll(async () => {
  fixture = await openNightFixture();
  const { database } = fixture.resources;
  for (const statement of fillWithPlans({ plans: 480, nights: 9, at })) await database.$executeRawUnsafe(statement);
  // Asked for besides: one of four of any outcome, for nights that were there and for one that was not.
  await database.$executeRawUnsafe(`
    INSERT INTO runs (id, plan_id, night, slot, trigger, state, due_at, queued_at, finished_at)
    SELECT md5(id || 'x')::uuid, plan_id, CASE WHEN n % 3 = 0 THEN '2026-04-22' ELSE night END, 'x' || n, 'person',
      (ARRAY['succeeded', 'partial', 'failed', 'cancelled'])[1 + n % 4]::run_state, due_at, queued_at + interval '1 second', due_at
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM runs) r WHERE n % 4 = 0 OR n % 7 = 0`);
  await database.$executeRawUnsafe(
    `UPDATE plans SET paused = true WHERE grant_id IN (SELECT id FROM grants ORDER BY id LIMIT 60)`,
  );
  await database.$executeRawUnsafe(
    `UPDATE grants SET idle_deadline = '2026-05-01' WHERE id IN (SELECT id FROM grants ORDER BY id LIMIT 5)`,
  );
});
afterAll(() => fixture[Symbol.asyncDispose]());

test('consents that end are counted day by day as one by one', async () => {
  const { database } = fixture.resources;
  const grants = await database.grant.findMany({ where: { state: { in: ['active', 'suspect'] } } });
  const within = (moment: Date | null, day: number) =>
    moment !== null && Math.ceil((moment.getTime() - at.getTime()) / 86_400_000) <= day;
  const days = await forecastEnds(database, { at, days: 60 });
  expect(days).toHaveLength(61);
  expect(days.at(-1)?.max).toBeGreaterThan(0);
  for (const { day, max, idle } of days) {
    expect(max).toBe(grants.filter(({ maxDeadline }) => within(maxDeadline, day)).length);
    expect(idle).toBe(
      grants.filter(({ idleDeadline, maxDeadline }) => within(idleDeadline, day) || within(maxDeadline, day)).length,
    );
  }
});

async function outcomesOneByOne() {
  const { database } = fixture.resources;
  const runs = await database.run.findMany({ where: { state: { in: ['succeeded', 'partial', 'failed'] } } });
  const best = Map.groupBy(runs, ({ planId, night }) => `${night} ${planId}`);
  const nights = Map.groupBy(best.values(), ([run]) => run?.night ?? '');
  return [...nights]
    .map(([night, all]) => {
      const as = (state: string, ...but: string[]) =>
        all.filter((of) => of.some((run) => run.state === state) && !of.some((run) => but.includes(run.state))).length;
      const [succeeded, partial] = [as('succeeded'), as('partial', 'succeeded')];
      return { night, succeeded, partial, failed: as('failed', 'succeeded', 'partial') };
    })
    .toSorted((one, other) => (one.night < other.night ? -1 : 1));
}

test('of what a person was backed up for a night the best counts', async () => {
  const outcomes = await listNightOutcomes(fixture.resources.database, { firstDate, lastDate });
  expect(outcomes).toEqual(await outcomesOneByOne());
  expect(outcomes.length).toBeGreaterThan(9);
});

test('nights that are over for good are counted once', async () => {
  const asked = async () => {
    let nights: unknown;
    const sent = await statementsOf(async () => {
      nights = await tallyNights(fixture.resources, { date, nights: 14 });
    });
    return { nights, since: sent.find(({ text }) => text.includes('WITH besides'))?.values[0] };
  };
  const nights = await outcomesOneByOne();
  expect(await asked()).toEqual({ nights, since: '2026-04-20' });
  expect(await asked()).toEqual({ nights, since: '2026-05-01' });
});

test('who is in trouble is found without those who are well, paused or not', async () => {
  const { database } = fixture.resources;
  const living = { state: { in: ['active' as const, 'suspect' as const] } };
  const plans = await database.plan.findMany({
    where: { grant: living },
    include: {
      runs: { where: { state: { notIn: ['cancelled', 'skipped'] } }, orderBy: { queuedAt: 'desc' }, take: 1 },
    },
  });
  const latest = plans.flatMap(({ id, runs: [run] }) => (run === undefined ? [] : [{ ...run, planId: id }]));
  const ill = latest.filter(
    ({ state, errorCode }) => ['partial', 'failed'].includes(state) || (state === 'queued' && errorCode),
  );
  const groups = await groupTrouble(database, at);
  expect(groups.reduce((sum, { people }) => sum + people, 0)).toBe(ill.length);
  for (const { state, errorCode } of groups) {
    const found = await listPlansInTrouble(database, { at, state, errorCode, limit: 1_000 });
    const same = ill.filter((run) => run.state === state && run.errorCode === errorCode);
    expect(found).toEqual(same.map(({ planId }) => planId).toSorted());
  }
});
