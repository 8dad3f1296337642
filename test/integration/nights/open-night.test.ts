import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dayMs } from '../../../src/durations.ts';
import { healRuns } from '../../../src/flows/nights/heal-runs.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { statementsOf } from '../../support/fixtures/sent-statements.ts';
import { type NightFixture, openNightFixture, savePlan, savePlans } from '../../support/harness/nights.ts';

let fixture: NightFixture;
beforeEach(async () => {
  fixture = await openNightFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

describe('opening a night', () => {
  test('makes one run a due plan, tells of it, puts it into the queue and sets the next night', async () => {
    const { database } = fixture.resources;
    const planId = await savePlan(database);
    expect(await openNight(fixture.resources)).toEqual({ opened: 1 });
    expect(await openNight(fixture.resources)).toEqual({ opened: 0 });
    const run = await database.run.findFirstOrThrow();
    expect(run).toMatchObject({ planId, night: '2026-05-01', slot: 'night', trigger: 'schedule', state: 'queued' });
    expect(fixture.taken()).toEqual([{ runId: run.id, attempt: 0 }]);
    const plan = await database.plan.findUniqueOrThrow({ where: { id: planId } });
    expect(plan.nextNight).toBe('2026-05-02');
    expect(plan.nextDueAt.getTime()).toBeGreaterThanOrEqual(Date.parse('2026-05-01T23:00:00Z'));
    expect(plan.nextDueAt.getTime()).toBeLessThan(Date.parse('2026-05-02T03:00:00Z'));
    expect(await database.event.findMany({ where: { subjectId: run.id } })).toMatchObject([
      { subjectKind: 'run', from: null, to: 'queued', by: 'worker:first' },
    ]);
  });

  test.each([
    "zone = 'Mars/Olympus'",
    "zone = ''",
    "zone = repeat('x', 100000)",
    "window_start = ''",
    "window_start = '25:00', window_end = 'noon'",
    "next_night = 'x'",
    "next_night = '+010000-01-01'",
    "next_due_at = '-infinity'",
    "paused_until = '-infinity', paused = true",
    "sources = '7', retention = '[]'",
  ])('opens everybody’s, whatever stands in the row of one plan: %s', async (set) => {
    const { clock, database } = fixture.resources;
    const odd = await savePlan(database);
    const planId = await savePlan(database);
    await database.$executeRawUnsafe(`UPDATE plans SET ${set} WHERE id = '${odd}'`);
    for (const nights of [1, 2]) {
      await openNight(fixture.resources);
      expect(await database.run.count({ where: { planId } })).toBe(nights);
      expect(await database.run.count({ where: { planId: odd } })).toBeGreaterThan(nights - 2);
      await clock.advance(dayMs + 5 * 3_600_000);
    }
  });

  test('gives runs ids that follow the time, so that those of a night lie side by side in indexes', async () => {
    const { database, clock } = fixture.resources;
    const made: string[] = [];
    for (let minute = 0; minute < 3; minute++) {
      const planIds = await savePlans(database, 20);
      if (minute === 1) await requestRun(fixture.resources, { planId: planIds[0] ?? '', trigger: 'person' });
      await openNight(fixture.resources);
      const ids = fixture.taken().map(({ runId }) => runId);
      expect(ids.length).toBeGreaterThanOrEqual(20);
      made.push(...ids.toSorted());
      await clock.advance(60_000);
    }
    expect(made.toSorted()).toEqual(made);
  });

  test('comes beside a backup that was asked for after midnight, in the window of an evening: that one counts for the date, the night for the evening', async () => {
    const { database, clock } = fixture.resources;
    await clock.advance(dayMs + 30 * 60_000);
    const planId = await savePlan(database, { nextNight: '2026-05-01', nextDueAt: '2026-05-02T01:00:00Z' });
    await database.plan.update({ where: { id: planId }, data: { windowStart: '22:00', windowEnd: '06:00' } });
    await requestRun(fixture.resources, { planId, trigger: 'person' });
    await database.run.updateMany({ data: { state: 'succeeded', finishedAt: clock.now() } });
    await clock.advance(60 * 60_000);
    expect(await openNight(fixture.resources)).toEqual({ opened: 1 });
    expect(await openNight(fixture.resources)).toEqual({ opened: 0 });
    const runs = await database.run.findMany({ orderBy: { queuedAt: 'asc' }, select: { night: true, trigger: true } });
    expect(runs).toEqual([
      { night: '2026-05-02', trigger: 'person' },
      { night: '2026-05-01', trigger: 'schedule' },
    ]);
  });

  test('recovers from a clock that was a year ahead for a while: nights, runs and leases are brought back, and no end of a run counts before its time', async () => {
    const { database, clock } = fixture.resources;
    const inAYear = new Date(clock.now().getTime() + 365 * dayMs);
    const ahead = { nextNight: '2027-05-02', nextDueAt: inAYear.toISOString() };
    const [waits, lapsed, ended, held] = [
      await savePlan(database, ahead),
      await savePlan(database, ahead),
      await savePlan(database, ahead),
      await savePlan(database, { ...ahead, paused: true }),
    ];
    const run = { night: '2027-05-01', slot: 'night', trigger: 'schedule', queuedAt: clock.now(), triedUntil: inAYear };
    const running = { ...run, state: 'running', leaseUntil: inAYear, leaseHolder: 'gone', dueAt: clock.now() } as const;
    await database.run.createMany({
      data: [
        { ...run, id: randomUUID(), planId: waits, dueAt: inAYear, state: 'queued' },
        { ...running, id: randomUUID(), planId: lapsed },
        { ...run, id: randomUUID(), planId: ended, dueAt: clock.now(), state: 'succeeded', finishedAt: inAYear },
      ],
    });
    const { userId, grantId } = await database.plan.findUniqueOrThrow({ where: { id: ended } });
    const lateness = { verifiedAt: inAYear, checkedAt: inAYear, nextAt: new Date(inAYear.getTime() + dayMs) };
    await database.verification.create({ data: { userId, since: clock.now(), ...lateness } });
    const idleDeadline = new Date(inAYear.getTime() + 30 * dayMs);
    const used = { lastExchangedAt: inAYear, nextExchangeAt: new Date(inAYear.getTime() + 7 * dayMs), idleDeadline };
    await database.grant.update({ where: { id: grantId }, data: used });
    const exchange = { grantId, generation: 1, fence: 1, holder: 'gone', purpose: 'run', startedAt: inAYear };
    await database.exchange.create({ data: { ...exchange, id: randomUUID() } });
    await database.keptFigure.create({ data: { name: 'people', value: {}, countedAt: inAYear, dueAt: inAYear } });
    await database.rateLimit.createMany({
      data: [
        { key: 'sign-in of then', fullAt: inAYear },
        { key: 'sign-in of now', fullAt: new Date(clock.now().getTime() + dayMs) },
      ],
    });
    await healRuns(fixture.resources);
    await clock.advance(60_001);
    await healRuns(fixture.resources);
    const { nextAt, verifiedAt } = await database.verification.findUniqueOrThrow({ where: { userId } });
    for (const moment of [nextAt, verifiedAt ?? inAYear]) expect(moment.getTime()).toBeLessThan(clock.now().getTime());
    const grant = await database.grant.findUniqueOrThrow({ where: { id: grantId } });
    expect(grant.nextExchangeAt?.getTime()).toBeLessThan(clock.now().getTime());
    expect(grant.idleDeadline.getTime() - grant.lastExchangedAt.getTime()).toBe(30 * dayMs);
    expect(grant.lastExchangedAt.getTime()).toBeLessThan(clock.now().getTime());
    expect(await database.keptFigure.count()).toBe(0);
    expect(await database.rateLimit.findMany({ select: { key: true } })).toEqual([{ key: 'sign-in of now' }]);
    for (const planId of [waits, lapsed])
      expect(await database.run.findFirstOrThrow({ where: { planId } })).toMatchObject({ state: 'queued' });
    const due = await database.run.findMany({ where: { dueAt: { gt: clock.now() } } });
    expect(due).toEqual([]);
    expect(await database.run.count({ where: { finishedAt: { gt: clock.now() } } })).toBe(0);
    const next = async (id: string) => (await database.plan.findUniqueOrThrow({ where: { id } })).nextDueAt;
    for (const planId of [waits, lapsed, ended])
      expect((await next(planId)).getTime()).toBeLessThan(clock.now().getTime() + 2 * dayMs);
    expect(await next(held)).toEqual(inAYear);
    await clock.advance(2 * dayMs);
    expect((await openNight(fixture.resources)).opened).toBe(3);
  });

  test('leaves plans alone that are paused, not due, or without a usable grant', async () => {
    const { database } = fixture.resources;
    await savePlan(database, { paused: true });
    await savePlan(database, { nextDueAt: '2026-05-01T00:00:01Z' });
    await savePlan(database, { grant: 'needs_consent' });
    await savePlan(database, { grant: 'withdrawn' });
    const asked = await savePlan(database, { grant: 'suspect' });
    expect(await openNight(fixture.resources)).toEqual({ opened: 1 });
    expect((await database.run.findFirstOrThrow()).planId).toBe(asked);
  });

  test('catches up once when several nights were missed, for the latest', async () => {
    const { database, clock } = fixture.resources;
    await savePlan(database);
    await clock.advance(9 * dayMs + dayMs / 2);
    expect(await openNight(fixture.resources)).toEqual({ opened: 1 });
    expect(await database.run.findMany()).toMatchObject([{ night: '2026-05-10' }]);
    expect(await database.plan.findFirstOrThrow()).toMatchObject({ nextNight: '2026-05-11' });
  });

  test('by several planners at once, with more plans than one takes, gives each plan one run', async () => {
    const { database } = fixture.resources;
    const plans = await savePlans(database, 530);
    const planners = ['a', 'b', 'c', 'd'].map((holder) => openNight(fixture.other(holder)));
    const opened = (await Promise.all(planners)).reduce((sum, each) => sum + each.opened, 0);
    const rest = await openNight(fixture.resources);
    expect(opened + rest.opened).toBe(plans.length);
    expect(await database.run.count()).toBe(plans.length);
    expect(new Set(fixture.taken().map(({ runId }) => runId)).size).toBe(plans.length);
  });

  test('asks the database the same for many plans as for one', async () => {
    const { database } = fixture.resources;
    const sent = async (plans: number) => {
      await savePlans(database, plans);
      const statements = await statementsOf(() => openNight(fixture.resources));
      return statements.map(({ text, values }) => [text, values.length]);
    };
    const ofOne = await sent(1);
    expect(await sent(40)).toEqual(ofOne);
    expect(await database.run.count()).toBe(41);
  });

  test('does not run again what that night has already', async () => {
    const { database } = fixture.resources;
    const planId = await savePlan(database);
    await openNight(fixture.resources);
    await database.plan.update({
      where: { id: planId },
      data: { nextNight: '2026-05-01', nextDueAt: fixture.resources.clock.now() },
    });
    expect(await openNight(fixture.resources)).toEqual({ opened: 0 });
    expect(await database.plan.findFirstOrThrow()).toMatchObject({ nextNight: '2026-05-02' });
  });
});

describe('asking for a run', () => {
  test('puts it before the others, and is answered by the run that is under way', async () => {
    const { database } = fixture.resources;
    const planId = await savePlan(database);
    const ask = () => requestRun(fixture.resources, { planId, trigger: 'person' });
    const runId = await ask();
    expect(fixture.taken()).toEqual([{ runId, attempt: 0, now: true }]);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([runId, runId, runId]);
    expect(await database.run.findMany()).toMatchObject([{ id: runId, slot: runId, trigger: 'person' }]);
  });

  test('by many at once makes one run', async () => {
    const planId = await savePlan(fixture.resources.database);
    const ids = await Promise.all(
      Array.from({ length: 8 }, () => requestRun(fixture.resources, { planId, trigger: 'person' })),
    );
    expect(new Set(ids).size).toBe(1);
  });

  test('does not take the place of the nightly one', async () => {
    const { database, clock } = fixture.resources;
    const planId = await savePlan(database);
    const runId = await requestRun(fixture.resources, { planId, trigger: 'consent' });
    await database.run.update({ where: { id: runId }, data: { state: 'succeeded', finishedAt: clock.now() } });
    expect(await openNight(fixture.resources)).toEqual({ opened: 1 });
    expect(await database.run.count()).toBe(2);
  });

  test('is refused once consent has ended', async () => {
    for (const grant of ['withdrawn', 'needs_consent'] as const) {
      const planId = await savePlan(fixture.resources.database, { grant });
      const ask = requestRun(fixture.resources, { planId, trigger: 'person' });
      await expect(ask).rejects.toMatchObject({ code: 'grant/not-usable' });
    }
    expect(await fixture.resources.database.run.count()).toBe(0);
  });

  test('of a plan that is not there is refused', async () => {
    await expect(
      requestRun(fixture.resources, { planId: '00000000-0000-4000-8000-000000000000', trigger: 'person' }),
    ).rejects.toMatchObject({ code: 'request/not-found' });
  });
});
