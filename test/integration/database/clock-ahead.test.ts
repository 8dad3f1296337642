import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listGrantsToExchange } from '../../../src/database/consent/grants.ts';
import { useRate } from '../../../src/database/people/rate-limits.ts';
import { findRunningRestore } from '../../../src/database/repositories/restores.ts';
import { bringBackFromAhead } from '../../../src/database/server/clock-ahead.ts';
import { claimDueStateExport } from '../../../src/database/state/state-exports.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';
import { healRuns } from '../../../src/flows/nights/heal-runs.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { type NightFixture, openNightFixture, savePlan } from '../../support/harness/nights.ts';

const by = 'worker:first';
let fixture: NightFixture;
let now: Date;
let inAYear: Date;
beforeEach(async () => {
  fixture = await openNightFixture();
  now = fixture.resources.clock.now();
  inAYear = later(365 * dayMs);
});
afterEach(() => fixture[Symbol.asyncDispose]());

function later(ms: number, from = now): Date {
  return new Date(from.getTime() + ms);
}

/** The grant of somebody whose token was exchanged by the clock that was ahead. */
async function saveUsed(plan: Parameters<typeof savePlan>[1], change: object = {}): Promise<string> {
  const { database } = fixture.resources;
  const planId = await savePlan(database, plan);
  const { grantId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
  const exchange = { grantId, generation: 1, fence: 1, holder: 'gone', purpose: 'keep-alive' };
  await database.exchange.create({ data: { ...exchange, id: randomUUID(), startedAt: inAYear, answeredAt: inAYear } });
  const used = {
    lastExchangedAt: inAYear,
    idleDeadline: later(30 * dayMs, inAYear),
    nextExchangeAt: later(7 * dayMs, inAYear),
  };
  await database.grant.update({ where: { id: grantId }, data: { ...used, ...change } });
  return grantId;
}

const bringBack = () => bringBackFromAhead(fixture.resources.database, { at: now, by });

test('keeps the consents alive of people whose nights are paused, after a clock was a year ahead', async () => {
  const { database } = fixture.resources;
  const grantId = await saveUsed({ paused: true });
  await bringBack();
  expect(await listGrantsToExchange(database, { at: now, limit: 9 })).toMatchObject([{ id: grantId }]);
  const { idleDeadline, lastExchangedAt } = await database.grant.findUniqueOrThrow({ where: { id: grantId } });
  expect([lastExchangedAt, idleDeadline]).toEqual([now, later(30 * dayMs)]);
});

test('asks again for consents that were refused then, and for those that were being used', async () => {
  const { database } = fixture.resources;
  const left = { lastExchangedAt: later(-dayMs), idleDeadline: later(29 * dayMs) };
  const refused = await saveUsed({ grant: 'suspect' }, { ...left, suspectSince: inAYear });
  const held = await saveUsed(
    { paused: true },
    { ...left, nextExchangeAt: now, leaseHolder: 'gone', leaseUntil: inAYear },
  );
  await bringBack();
  const due = await listGrantsToExchange(database, { at: now, limit: 9 });
  expect(due.map(({ id }) => id).toSorted()).toEqual([refused, held].toSorted());
  const rows = await database.grant.findMany({ where: { id: { in: [refused, held] } } });
  for (const row of rows) {
    expect(row).toMatchObject(left);
    for (const moment of [row.suspectSince, row.leaseUntil]) expect(moment?.getTime() ?? 0).toBeLessThanOrEqual(+now);
  }
  expect(
    await database.exchange.count({ where: { OR: [{ startedAt: { gt: now } }, { answeredAt: { gt: now } }] } }),
  ).toBe(0);
});

test('probes a provider whose circuit opened then', async () => {
  const { database } = fixture.resources;
  const circuit = { issuer: 'https://idp.example', clientId: 'nightkeep', open: true, reason: 'unreachable' };
  const trustedUntil = later(dayMs, inAYear);
  await database.circuit.create({ data: { ...circuit, openedAt: inAYear, nextProbeAt: inAYear, trustedUntil } });
  await bringBack();
  expect(await database.circuit.findFirstOrThrow()).toMatchObject({
    openedAt: now,
    nextProbeAt: now,
    trustedUntil: null,
  });
});

test('verifies and prunes the repositories of people whose nights are paused, and looks for their cards', async () => {
  const { database } = fixture.resources;
  const planId = await savePlan(database, { paused: true });
  const { userId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
  await database.verification.create({
    data: { userId, since: now, nextAt: later(dayMs, inAYear), verifiedAt: inAYear },
  });
  const repository = {
    id: randomUUID(),
    userId,
    location: 'there',
    sealedPassword: Buffer.of(),
    keyId: 'k',
    createdAt: now,
  };
  await database.repository.create({ data: { ...repository, prunedAt: inAYear, retainedAt: inAYear } });
  await database.repository.updateMany({ data: { cardDueAt: inAYear } });
  await bringBack();
  const never = { readAt: null, checkedAt: null, foundAt: null, goneAt: null, backAt: null, clearedAt: null };
  expect(await database.verification.findFirstOrThrow()).toMatchObject({ nextAt: now, verifiedAt: now, ...never });
  expect(await database.repository.findFirstOrThrow()).toMatchObject({
    prunedAt: now,
    retainedAt: now,
    cardDueAt: now,
  });
});

test('puts nothing on record that was never done', async () => {
  const { database } = fixture.resources;
  const planId = await savePlan(database, { nextNight: '2027-05-02', nextDueAt: inAYear.toISOString() });
  const { userId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
  await database.verification.create({ data: { userId, since: now, nextAt: inAYear } });
  const repository = {
    id: randomUUID(),
    userId,
    location: 'there',
    sealedPassword: Buffer.of(),
    keyId: 'k',
    createdAt: now,
  };
  await database.repository.create({ data: { ...repository, retainedAt: inAYear } });
  const run = { id: randomUUID(), planId, night: '2027-05-01', slot: 'night', trigger: 'schedule', queuedAt: now };
  await database.run.create({ data: { ...run, triedUntil: inAYear, dueAt: inAYear } });
  await bringBack();
  const never = {
    readAt: null,
    checkedAt: null,
    verifiedAt: null,
    foundAt: null,
    goneAt: null,
    backAt: null,
    clearedAt: null,
  };
  expect(await database.verification.findFirstOrThrow()).toMatchObject(never);
  expect(await database.repository.findFirstOrThrow()).toMatchObject({ retainedAt: now, prunedAt: null });
  expect(await database.run.findFirstOrThrow()).toMatchObject({ dueAt: now, startedAt: null, finishedAt: null });
});

test('takes no restore for one that is being written, and exports the state again', async () => {
  const { database } = fixture.resources;
  const planId = await savePlan(database);
  const { userId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
  const restore = { id: randomUUID(), userId, snapshotId: 'a', path: '', askedAt: inAYear, startedAt: inAYear };
  await database.restore.create({ data: { ...restore, state: 'running', toldAt: inAYear } });
  const exported = { id: 1, triedAt: inAYear, madeAt: inAYear, leaseUntil: inAYear, keyId: 'k' };
  await database.stateExport.create({ data: exported });
  await bringBack();
  expect(await findRunningRestore(database, { userId, now: later(61_000) })).toBeNull();
  const due = { at: later(dayMs), leaseUntil: later(2 * dayMs), since: later(1), keyId: 'k', triedBefore: now };
  expect(await claimDueStateExport(database, due)).toBe(true);
});

test('makes nobody wait longer than a rate does, by however little a clock was ahead', async () => {
  const { database } = fixture.resources;
  const rate = { count: 3, spanMs: 60_000 };
  const use = (at: Date) => useRate(database, { key: 'sign-in', rate, at });
  for (let time = 0; time < 3; time++) expect(await use(later(3 * dayMs))).toBe(0);
  expect(await use(later(3 * dayMs))).toBe(20_000);
  expect(await use(now)).toBe(20_000);
  expect(await use(later(19_999))).toBe(1);
  expect(await use(later(20_000))).toBe(0);
});

test('sends what was to be sent then, and ends the sessions that began then', async () => {
  const { database } = fixture.resources;
  const planId = await savePlan(database);
  const { userId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
  const notice = { id: randomUUID(), channel: 'mail-person', key: 'k', facts: {}, userId };
  await database.notice.create({ data: { ...notice, createdAt: inAYear, nextAttemptAt: inAYear } });
  const session = { userId, operator: true, agent: 'a', authenticatedAt: inAYear };
  await database.webSession.createMany({
    data: [
      { ...session, id: 'then', createdAt: inAYear, lastSeenAt: inAYear, endsAt: later(dayMs / 2, inAYear) },
      { ...session, id: 'before', authenticatedAt: now, createdAt: now, lastSeenAt: inAYear, endsAt: later(dayMs / 2) },
    ],
  });
  await bringBack();
  expect(await database.notice.findFirstOrThrow()).toMatchObject({ createdAt: now, nextAttemptAt: now });
  expect(await database.webSession.findMany()).toMatchObject([{ id: 'before', lastSeenAt: now }]);
});

/* PostgreSQL tells its own time here: what is to be later than that is of another century. */
describe('a clock that is ahead for a while', () => {
  const evening = new Date('2126-03-01T22:30:00Z');
  let planId: string;
  beforeEach(async () => {
    await passUntil(evening);
    const { database } = fixture.resources;
    planId = await savePlan(database, { nextNight: '2126-03-02', nextDueAt: '2126-03-02T00:30:00Z' });
  });

  const passUntil = (at: Date) =>
    fixture.resources.clock.advance(at.getTime() - fixture.resources.clock.now().getTime());
  const runsOf = () => fixture.resources.database.run.findMany({ orderBy: { id: 'asc' } });
  /** A worker ends what was opened, by its clock. */
  const end = async () => {
    const { clock, database } = fixture.resources;
    const { id } = await database.run.findFirstOrThrow({ where: { state: 'queued' } });
    const data = { state: 'succeeded' as const, startedAt: clock.now(), finishedAt: clock.now() };
    await database.run.update({ where: { id }, data });
  };
  /** Nights that are opened on these days, at whose ends nothing waits any more. */
  const nightsOf = async (days: number) => {
    for (let n = 1; n <= days; n++) {
      await passUntil(later(n * dayMs, evening));
      if ((await openNight(fixture.resources)).opened > 0) await end();
    }
    return (await runsOf()).filter(({ slot }) => slot === 'night').map(({ night }) => night);
  };

  test.each([1, 3, 14, 26, 48, 72])('by %i hours costs no night once it is right again', async (hours) => {
    const { clock } = fixture.resources;
    await passUntil(later(hours * hourMs, evening));
    const { opened } = await openNight(fixture.resources);
    expect(opened).toBe(hours > 2 ? 1 : 0);
    if (opened > 0) await end();
    await passUntil(evening);
    await healRuns(fixture.resources);
    const [early] = await runsOf();
    if (opened > 0)
      expect(early).toMatchObject({ night: '2126-03-01', queuedAt: evening, startedAt: evening, finishedAt: evening });
    expect(await nightsOf(4)).toEqual(['2126-03-02', '2126-03-03', '2126-03-04', '2126-03-05']);
    expect(clock.now()).toEqual(later(4 * dayMs, evening));
  });

  test('lets a run that waits go on at once, and what a worker has held since then be taken over after its lease', async () => {
    await passUntil(later(2 * dayMs, evening));
    await openNight(fixture.resources);
    await passUntil(evening);
    await healRuns(fixture.resources);
    expect(await runsOf()).toMatchObject([{ state: 'queued', dueAt: evening }]);
    const { database } = fixture.resources;
    const held = { state: 'running' as const, leaseHolder: 'gone', leaseUntil: later(2 * dayMs, evening) };
    await database.run.updateMany({ data: held });
    await healRuns(fixture.resources);
    expect(await runsOf()).toMatchObject([{ state: 'running', leaseUntil: later(60_000, evening) }]);
    await passUntil(later(60_001, evening));
    expect(await healRuns(fixture.resources)).toMatchObject({ returned: 1 });
  });

  test('makes a night twice at most, though it stays ahead beside one that is right', async () => {
    for (let minute = 0; minute < 10; minute++) {
      const at = later(minute * 60_000, evening);
      await passUntil(later(2 * dayMs, at));
      if ((await openNight(fixture.resources)).opened > 0) await end();
      await passUntil(at);
      await healRuns(fixture.resources);
    }
    expect((await runsOf()).map(({ slot }) => slot).toSorted()).toEqual(['early 2126-03-03', 'night']);
  });

  test('puts off no night that was reckoned then, as after a consent', async () => {
    const { database } = fixture.resources;
    const dueAt = new Date('2126-03-05T00:30:00Z');
    await database.plan.updateMany({ data: { nextNight: '2126-03-05', nextDueAt: dueAt } });
    await healRuns(fixture.resources);
    expect(await nightsOf(4)).toEqual(['2126-03-02', '2126-03-03', '2126-03-04', '2126-03-05']);
  });

  test('is none where only the clock of this machine is behind', async () => {
    const { database } = fixture.resources;
    await database.run.deleteMany();
    const behind = later(-60 * dayMs);
    const made = { planId, night: '2026-05-01', slot: 'night', trigger: 'schedule', queuedAt: now, finishedAt: now };
    await database.run.create({ data: { ...made, id: randomUUID(), state: 'succeeded', dueAt: now } });
    await database.plan.update({ where: { id: planId }, data: { nextNight: '2026-05-02', nextDueAt: later(dayMs) } });
    const before = [await runsOf(), await database.plan.findMany()];
    expect(await bringBackFromAhead(database, { at: behind, by })).toMatchObject({ plans: 0, runs: 0, grants: 0 });
    expect([await runsOf(), await database.plan.findMany()]).toEqual(before);
  });

  test('moves the next use of a consent back by as much, and asks nobody for it', async () => {
    const { database } = fixture.resources;
    const ahead = later(2 * dayMs, evening);
    const { grantId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
    const exchange = { grantId, generation: 1, fence: 1, holder: 'gone', purpose: 'run' };
    await database.exchange.create({ data: { ...exchange, id: randomUUID(), startedAt: ahead, answeredAt: ahead } });
    const used = {
      lastExchangedAt: ahead,
      idleDeadline: later(30 * dayMs, ahead),
      nextExchangeAt: later(7 * dayMs, ahead),
    };
    await database.grant.update({ where: { id: grantId }, data: { ...used, leaseUntil: ahead } });
    await bringBackFromAhead(database, { at: evening, by });
    expect(await database.grant.findUniqueOrThrow({ where: { id: grantId } })).toMatchObject({
      lastExchangedAt: evening,
      idleDeadline: later(30 * dayMs, evening),
      nextExchangeAt: later(7 * dayMs, evening),
      leaseUntil: evening,
    });
    expect(await database.exchange.findFirstOrThrow()).toMatchObject({ startedAt: evening, answeredAt: evening });
  });

  test('asks a provider again whose circuit opened then, sends what was to be told, and ends sessions that began then', async () => {
    const { database } = fixture.resources;
    const ahead = later(hourMs, evening);
    const circuit = { issuer: 'https://idp.example', clientId: 'nightkeep', open: true, reason: 'unreachable' };
    await database.circuit.create({ data: { ...circuit, openedAt: ahead, nextProbeAt: later(60_000, ahead) } });
    const { userId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
    const notice = { id: randomUUID(), channel: 'mail-person', key: 'k', facts: {}, userId };
    await database.notice.create({ data: { ...notice, createdAt: ahead, nextAttemptAt: ahead } });
    const session = { id: 's', userId, operator: true, agent: 'a', authenticatedAt: ahead, createdAt: ahead };
    await database.webSession.create({ data: { ...session, lastSeenAt: ahead, endsAt: later(dayMs / 2, ahead) } });
    await bringBackFromAhead(database, { at: evening, by });
    expect(await database.circuit.findFirstOrThrow()).toMatchObject({ openedAt: evening, nextProbeAt: evening });
    expect(await database.notice.findFirstOrThrow()).toMatchObject({ createdAt: evening, nextAttemptAt: evening });
    expect(await database.webSession.count()).toBe(0);
  });
});

test('leaves what was agreed to then older than what is agreed to from now on, in the order in which it was', async () => {
  const { database } = fixture.resources;
  const grantId = await saveUsed({ paused: true });
  const { userId } = await database.grant.findUniqueOrThrow({ where: { id: grantId } });
  const agree = (agreedAt: Date, scope: string) =>
    database.consent.create({ data: { id: randomUUID(), userId, grantId, agreedAt, scope, terms: {} } });
  await agree(later(-dayMs), 'before');
  await agree(later(hourMs, inAYear), 'second');
  await agree(inAYear, 'first');
  await bringBack();
  await agree(later(1), 'newest');
  const rows = await database.consent.findMany({ orderBy: { agreedAt: 'desc' } });
  expect(rows.map(({ scope }) => scope)).toEqual(['newest', 'second', 'first', 'before']);
  expect(rows[1]?.agreedAt).toEqual(now);
});
