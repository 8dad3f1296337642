import fc from 'fast-check';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { countGrants } from '../../../src/database/custody/inspect-custody.ts';
import { inspectRuns } from '../../../src/database/nights/inspect-runs.ts';
import { measureNight, measurePace } from '../../../src/database/nights/tonight.ts';
import { countVerdicts } from '../../../src/database/people/people.ts';
import { measure } from '../../../src/database/records/measure.ts';
import { foldTallies, forgetTallies } from '../../../src/database/records/tallies.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { type DatabaseFixture, openDatabaseFixture } from '../../support/harness/database.ts';

const at = new Date('2026-05-04T01:00:30Z');
const ago = (minutes: number) => new Date(at.getTime() - minutes * 60_000);

const fixture: DatabaseFixture = await openDatabaseFixture();
const { database } = fixture;
afterAll(() => fixture[Symbol.asyncDispose]());

beforeEach(async () => {
  await database.user.deleteMany();
  await database.$executeRaw`TRUNCATE events, grant_tallies, run_tallies, exchange_tallies`;
  for (const statement of fillWithPlans({ plans: 240, nights: 1, at })) await database.$executeRawUnsafe(statement);
});

/** What the tallies come to, beside a count of all rows. */
async function bothWays() {
  const sums = (table: string, kind: string) =>
    `SELECT ${kind}, sum(n)::int AS n FROM ${table} GROUP BY ${kind} HAVING sum(n) <> 0`;
  const counts = (table: string, kind: string, which: string) =>
    `SELECT ${kind}, count(*)::int AS n FROM ${table} WHERE ${which} GROUP BY ${kind}`;
  const minute = (moment: string) => `date_bin('1 minute', ${moment}, 'epoch')`;
  const all = (query: string) =>
    database.$queryRawUnsafe<unknown[]>(`SELECT to_jsonb(t)::text AS row FROM (${query}) t ORDER BY 1`);
  const run = `night, slot = 'night' AS of_night, state, date_bin('15 minutes', queued_at, 'epoch') AS queued, ${minute('coalesce(finished_at, queued_at)')} AS ended`;
  return {
    tallied: [
      await all(sums('grant_tallies', 'state, reason')),
      await all(sums('run_tallies', 'night, of_night, state, queued, ended')),
      await all(sums('exchange_tallies', 'started, verdict')),
    ],
    counted: [
      await all(counts('grants', 'state, reason', 'true')),
      await all(
        `SELECT ${run}, count(*)::int AS n FROM runs WHERE state NOT IN ('queued', 'running') GROUP BY 1, 2, 3, 4, 5`,
      ),
      await all(
        `SELECT ${minute('started_at')} AS started, verdict, count(*)::int AS n FROM exchanges WHERE verdict IS NOT NULL GROUP BY 1, 2`,
      ),
    ],
  };
}

const some = (table: string, { from, count }: Picked) =>
  `(SELECT id FROM ${table} ORDER BY id OFFSET ${from} LIMIT ${count})`;
interface Picked {
  readonly from: number;
  readonly count: number;
}

/** What may happen to rows, by whomever: each as a statement. */
const changes: Readonly<Record<string, (picked: Picked) => string>> = {
  grantsEnd: (p) => `UPDATE grants SET state = 'needs_consent', reason = 'signed_out' WHERE id IN ${some('grants', p)}`,
  grantsDoubted: (p) =>
    `UPDATE grants SET state = 'suspect', reason = CASE WHEN fence % 2 = 0 THEN 'lost_rotation' END WHERE id IN ${some('grants', p)}`,
  grantsUsed: (p) =>
    `UPDATE grants SET idle_deadline = idle_deadline + interval '1 day' WHERE id IN ${some('grants', p)}`,
  grantsWithdrawn: (p) => `UPDATE grants SET state = 'withdrawn', reason = NULL WHERE id IN ${some('grants', p)}`,
  peopleErased: (p) => `DELETE FROM users WHERE id IN ${some('users', p)}`,
  runsEnd: (p) =>
    `UPDATE runs SET state = 'failed', finished_at = '${at.toISOString()}' WHERE id IN ${some('runs', p)} AND state IN ('queued', 'running')`,
  runsAgain: (p) => `UPDATE runs SET state = 'queued', finished_at = NULL WHERE id IN ${some('runs', p)}`,
  runsOfAnotherNight: (p) =>
    `UPDATE runs SET night = '2026-01-0' || 1 + fence % 3, slot = id::text, queued_at = queued_at - interval '40 minutes' WHERE id IN ${some('runs', p)}`,
  runsLooked: (p) =>
    `UPDATE runs SET alarm_seen_at = now(), snapshot_forgotten_at = now() WHERE id IN ${some('runs', p)}`,
  runsGo: (p) => `DELETE FROM runs WHERE id IN ${some('runs', p)}`,
  runsCome: (p) => `
    INSERT INTO runs (id, plan_id, night, slot, trigger, state, due_at, queued_at, finished_at)
    SELECT gen_random_uuid(), id, '2026-05-03', gen_random_uuid()::text, 'person',
      (ARRAY['queued', 'succeeded', 'skipped', 'cancelled'])[1 + (row_number() OVER ()) % 4]::run_state, created_at, created_at, NULL
    FROM plans WHERE id IN ${some('plans', p)}`,
  exchangesJudged: (p) => `UPDATE exchanges SET verdict = 'transient' WHERE id IN ${some('exchanges', p)}`,
  exchangesForgotten: (p) =>
    `UPDATE exchanges SET verdict = NULL, answered_at = NULL WHERE id IN ${some('exchanges', p)}`,
  exchangesGo: (p) => `DELETE FROM exchanges WHERE id IN ${some('exchanges', p)}`,
  exchangesCome: (p) => `
    INSERT INTO exchanges (id, grant_id, generation, fence, holder, purpose, started_at)
    SELECT gen_random_uuid(), id, 1, 1, 'worker/1', 'run', last_exchanged_at FROM grants WHERE id IN ${some('grants', p)}`,
};

const change = fc.record({
  kind: fc.constantFrom(...Object.keys(changes), 'fold'),
  picked: fc.record({ from: fc.nat(230), count: fc.integer({ min: 1, max: 40 }) }),
  isTakenBack: fc.boolean(),
});

test('tallies are what a count of all rows comes to, after any changes, folded by several at once or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (sequence) => {
      for (const { kind, picked, isTakenBack } of sequence) {
        const statement = changes[kind]?.(picked);
        const since = ago(picked.from);
        if (statement === undefined) await Promise.all([1, 2, 3].map(() => foldTallies(database, { since })));
        else if (!isTakenBack) await database.$executeRawUnsafe(statement);
        else
          await database
            .$transaction(async (transaction) => {
              await transaction.$executeRawUnsafe(statement);
              throw new Error('taken back');
            })
            .catch(() => {});
      }
      const { tallied, counted } = await bothWays();
      expect(tallied).toEqual(counted);
    }),
    { numRuns: 25, endOnFailure: true },
  );
});

test('folded, there is one row of each kind', async () => {
  await database.$executeRaw`UPDATE runs SET state = 'failed' WHERE state = 'succeeded'`;
  const before = await database.runTally.count();
  await foldTallies(database, { since: new Date(0) });
  const { tallied, counted } = await bothWays();
  expect(tallied).toEqual(counted);
  const rows = [
    await database.grantTally.count(),
    await database.runTally.count(),
    await database.exchangeTally.count(),
  ];
  expect(rows).toEqual(tallied.map((kinds) => kinds.length));
  expect(rows[1]).toBeLessThan(before);
  await forgetTallies(database, { before: at });
  expect(await database.runTally.count({ where: { ended: { lt: at } } })).toBe(0);
  expect(await database.grantTally.count()).toBe(rows[0]);
});

test('counted anew, as an upgrade does, they come to the same', async () => {
  await database.$executeRaw`TRUNCATE grant_tallies, run_tallies, exchange_tallies`;
  await database.$executeRaw`SELECT count_tallies()`;
  const { tallied, counted } = await bothWays();
  expect(tallied).toEqual(counted);
});

test('figures of tallies are those of the rows', async () => {
  await database.$executeRaw`UPDATE exchanges SET verdict = NULL, answered_at = NULL WHERE id IN (SELECT id FROM exchanges ORDER BY id LIMIT 3)`;
  await database.$executeRaw`UPDATE grants SET state = 'suspect', reason = 'lost_rotation' WHERE id IN (SELECT id FROM grants ORDER BY id LIMIT 5)`;
  const since = ago(90);
  const minute = new Date(Math.floor(since.getTime() / 60_000) * 60_000);
  const measured = await measure(database, { at, since });
  const runs = await database.run.groupBy({
    by: ['state'],
    where: { OR: [{ state: { in: ['queued', 'running'] } }, { finishedAt: { gte: minute } }] },
    _count: true,
  });
  expect(measured.runs).toMatchObject(Object.fromEntries(runs.map(({ state, _count }) => [state, _count])));
  const grants = await database.grant.groupBy({ by: ['state'], _count: true });
  expect(measured.grants).toMatchObject(Object.fromEntries(grants.map(({ state, _count }) => [state, _count])));
  expect(measured.rotationsLost).toBe(5);
  const exchanges = await database.exchange.findMany({ where: { startedAt: { gte: minute } } });
  const verdicts = Map.groupBy(exchanges, ({ verdict }) => verdict ?? 'none');
  expect(measured.exchanges).toEqual(Object.fromEntries([...verdicts].map(([verdict, all]) => [verdict, all.length])));
  const living = await database.grant.aggregate({
    where: { state: { in: ['active', 'suspect'] } },
    _min: { idleDeadline: true, maxDeadline: true },
  });
  expect(measured).toMatchObject(living._min);
  const hours = await countVerdicts(database, { since });
  expect(hours.reduce((sum, { ok, unanswered }) => sum + ok + unanswered, 0)).toBe(exchanges.length);
  expect(await countGrants(database)).toContainEqual({ state: 'suspect', reason: 'lost_rotation', count: 5 });
  const ended = {
    finishedAt: { gte: minute },
    state: { in: ['succeeded' as const, 'partial' as const, 'failed' as const] },
  };
  expect((await measurePace(database, { at, since })).ended).toBe(await database.run.count({ where: ended }));
  const facts = await inspectRuns(database, {
    at,
    endedSince: since,
    lapsedBefore: at,
    waitingBefore: at,
    nightBefore: at,
  });
  expect(facts.ended).toBe(await database.run.count({ where: ended }));
  expect(facts.failed).toBe(await database.run.count({ where: { ...ended, state: 'failed' } }));
  const [from, to] = [new Date('2026-05-03T12:00:00Z'), new Date('2026-05-04T12:00:00Z')];
  const night = await measureNight(database, { firstDate: '2026-05-02', lastDate: '2026-05-05', from, to, at });
  const ofNight = await database.run.groupBy({
    by: ['state'],
    where: { slot: 'night', queuedAt: { gte: from, lt: to } },
    _count: true,
  });
  const countOf = (state: string) => ofNight.find((one) => one.state === state)?._count ?? 0;
  for (const state of ['succeeded', 'partial', 'failed', 'running'] as const) expect(night[state]).toBe(countOf(state));
  expect(night.succeeded).toBeGreaterThan(0);
  expect(night.waiting + night.again).toBe(countOf('queued'));
});
