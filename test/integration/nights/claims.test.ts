import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/database/client.ts';
import { finishRun } from '../../../src/database/nights/run-ends.ts';
import type { ClaimedRun } from '../../../src/database/nights/run-leases.ts';
import { openRunClaims, type RunClaims } from '../../../src/database/nights/turns.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { statementsOf } from '../../support/fixtures/sent-statements.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';
import { type NightFixture, openNightFixture, savePlan, savePlans } from '../../support/harness/nights.ts';

let fixture: NightFixture;
beforeEach(async () => {
  fixture = await openNightFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const database = () => fixture.resources.database;
const now = () => fixture.resources.clock.now();
const about = (holder: string, places = { concurrency: 16, heavyRuns: 16 }) => ({
  holder,
  at: now(),
  turnMs: 60_000,
  ...places,
});
const planOf = (run: ClaimedRun | 'full' | null) => (run === 'full' ? run : run?.planId);

/** So many plans on that server, whose nights are due one after the other. */
async function people(host: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const nextDueAt = new Date(Date.parse('2026-05-01T00:00:00Z') + index * 1_000).toISOString();
    const id = await savePlan(database(), { nextDueAt });
    await database().plan.update({
      where: { id },
      data: { sources: [{ name: 'files', url: `https://${host}/files/` }] },
    });
    ids.push(id);
  }
  return ids;
}

async function open(): Promise<void> {
  await fixture.resources.clock.advance(60_000);
  await openNight(fixture.resources);
}

/** Holds the row of a plan, as a claim that is under way does, until it is told to end. */
async function holding(planId: string, before: (transaction: Pick<Database, '$executeRaw'>) => Promise<unknown>) {
  const held = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const ended = database().$transaction(async (transaction) => {
    await transaction.$executeRaw`SELECT 1 FROM plans WHERE id = ${planId}::uuid FOR UPDATE`;
    held.resolve();
    await end.promise;
    await before(transaction);
  });
  await held.promise;
  return async () => {
    end.resolve();
    await ended;
  };
}

const blocked = async () => {
  const rows = await database().$queryRaw<unknown[]>`
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return rows.length;
};

describe('a claim', () => {
  test('passes over what another is about to take, and does not wait for it', async () => {
    const [first = '', second] = await people('a.example', 3);
    await open();
    const release = await holding(first, async () => {});
    expect(planOf(await openRunClaims(database()).next(about('second')))).toBe(second);
    await release();
    expect(planOf(await openRunClaims(database()).next(about('second')))).toBe(first);
  });

  test('waits where everything that there is is locked, rather than leave it', async () => {
    const [only = ''] = await people('a.example', 1);
    await open();
    const release = await holding(only, async () => {});
    const claim = openRunClaims(database()).next(about('second'));
    await expect.poll(blocked).toBe(1);
    await release();
    expect(planOf(await claim)).toBe(only);
  });

  test('takes no second run of a plan when another worker took one while it waited', async () => {
    const [only = ''] = await people('a.example', 1);
    await open();
    await requestRun(fixture.resources, { planId: only, trigger: 'operator', by: 'operator:x' });
    const night = await database().run.findFirstOrThrow();
    const copy = { ...night, id: crypto.randomUUID(), slot: 'again', turnAt: new Date(0) };
    const { counts: _, problems: __, goneFolders: ___, ...again } = copy;
    await database().run.create({ data: again });
    const release = await holding(only, (transaction) => {
      const until = new Date(now().getTime() + 60_000);
      return transaction.$executeRaw`
        UPDATE runs SET state = 'running', fence = 1, lease_holder = 'first', lease_until = ${until}, claimed_at = ${now()}
        WHERE id = ${night.id}::uuid`;
    });
    const claim = openRunClaims(database()).next(about('second'));
    await expect.poll(blocked).toBe(1);
    await release();
    expect(await claim).toBeNull();
    expect(await database().run.count({ where: { state: 'running' } })).toBe(1);
  });
});

describe('the places of a worker that are free at once', () => {
  test('are filled by one statement, without a transaction around it', async () => {
    const ids = await people('a.example', 20);
    await open();
    const claims = openRunClaims(database());
    const got: (string | undefined)[] = [];
    const sent = await statementsOf(
      async () => {
        const runs = await Promise.all(Array.from({ length: 16 }, () => claims.next(about('first'))));
        got.push(...runs.map(planOf));
      },
      { transactions: true },
    );
    expect(sent).toHaveLength(1);
    expect(new Set(got)).toEqual(new Set(ids.slice(0, 16)));
  });

  test('are dealt to servers as if they were filled one after the other', async () => {
    const slow = await people('slow.example', 8);
    const other = await people('other.example', 2);
    await open();
    const claims = openRunClaims(database());
    const runs = await Promise.all(Array.from({ length: 6 }, () => claims.next(about('first'))));
    expect(new Set(runs.map(planOf))).toEqual(new Set([...slow.slice(0, 4), ...other]));
  });

  test('take no more of the heavy ones, and of those that have had a turn, than it may have', async () => {
    await people('a.example', 12);
    await open();
    const waiting = await database().run.findMany({ orderBy: { turnAt: 'asc' }, select: { id: true } });
    const ids = waiting.map(({ id }) => id);
    // Of a first night much is expected.
    await database().run.updateMany({ where: { id: { in: ids.slice(6) } }, data: { heavy: false } });
    await database().run.updateMany({ where: { id: { in: ids.slice(6, 9) } }, data: { workedMs: 60_000 } });
    const claims = openRunClaims(database());
    const places = { concurrency: 16, heavyRuns: 4 };
    const runs = await Promise.all(Array.from({ length: 16 }, () => claims.next(about('first', places))));
    const taken = runs.flatMap((run) => (run === null || run === 'full' ? [] : [run.id]));
    expect(taken).toHaveLength(7);
    expect(new Set(taken)).toEqual(new Set([...ids.slice(0, 4), ...ids.slice(9)]));
    expect(runs.slice(taken.length)).toEqual(Array.from({ length: 9 }, () => 'full'));
  });
});

describe('many workers that claim at once', () => {
  const [workers, places, heavyRuns, hosts, nights] = [8, 6, 2, 5, 400];

  interface Claimer {
    readonly name: string;
    readonly database: Database;
    readonly claims: RunClaims;
  }

  test('take each run once, keep to their places, leave nobody out and give each server its share', {
    timeout: 60_000,
  }, async () => {
    await using opened = new AsyncDisposableStack();
    const { url, database: all } = opened.use(await openDatabaseFixture());
    const ids = await savePlans(all, nights);
    const at = new Date('2026-05-01T00:00:00Z');
    await all.run.createMany({
      data: ids.map((planId, index) => ({
        id: crypto.randomUUID(),
        planId,
        night: '2026-05-01',
        trigger: 'schedule',
        // Half of all are on one server, and every second of these is heavy.
        heavy: index % 4 === 0,
        host: index % 2 === 0 ? 'large.example' : `${index % hosts}.example`,
        dueAt: at,
        turnAt: new Date(at.getTime() - nights + index),
        queuedAt: at,
        triedUntil: new Date(at.getTime() + 3_600_000),
      })),
    });
    await all.$executeRaw`ANALYZE runs`;
    const heavyOf = new Map((await all.run.findMany()).map(({ id, heavy }) => [id, heavy]));
    const hostOf = new Map((await all.run.findMany()).map(({ id, host }) => [id, host]));
    const claimers: Claimer[] = [];
    for (let index = 0; index < workers; index++) {
      const own = opened.adopt(await openDatabase(url, 3), (one) => one.$disconnect());
      claimers.push({ name: `worker ${index}`, database: own, claims: openRunClaims(own) });
    }
    const inHand = new Map<string, Set<string>>(claimers.map(({ name }) => [name, new Set()]));
    const begun: string[] = [];
    const most = { all: 0, heavy: 0 };

    async function place({ name, database: own, claims }: Claimer): Promise<void> {
      const mine = inHand.get(name) ?? new Set();
      for (;;) {
        const run = await claims.next({ holder: name, at, turnMs: 60_000, concurrency: places, heavyRuns });
        if (run === null) return;
        // One of its places ends a run, and asks again then.
        if (run === 'full') continue;
        mine.add(run.id);
        begun.push(run.id);
        most.all = Math.max(most.all, mine.size);
        most.heavy = Math.max(most.heavy, [...mine].filter((id) => heavyOf.get(id) === true).length);
        await own.$executeRaw`SELECT pg_sleep(0.005)`;
        mine.delete(run.id);
        expect(await finishRun(own, { run, end: { state: 'succeeded' }, holder: name, at })).toBe(true);
      }
    }
    await Promise.all(claimers.flatMap((one) => Array.from({ length: places }, () => place(one))));

    expect(begun).toHaveLength(nights);
    expect(new Set(begun).size).toBe(nights);
    expect(await all.run.count({ where: { state: 'succeeded', fence: 1, attempt: 1 } })).toBe(nights);
    expect(most.all).toBeLessThanOrEqual(places);
    expect(most.heavy).toBe(heavyRuns);
    expect(await all.event.count({ where: { to: 'running' } })).toBe(nights);
    // By their turns alone every second would be of the large server; of six servers it has a sixth as long as others wait.
    const early = begun.slice(0, nights / 4).filter((id) => hostOf.get(id) === 'large.example');
    expect(early.length).toBeLessThan(nights / 4 / 3);
  });
});
