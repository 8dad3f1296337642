import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listGrantsToExchange } from '../../../src/database/consent/grants.ts';
import { useRate } from '../../../src/database/people/rate-limits.ts';
import { findRunningRestore } from '../../../src/database/repositories/restores.ts';
import { bringBackFromAhead } from '../../../src/database/server/clock-ahead.ts';
import { claimDueStateExport } from '../../../src/database/state/state-exports.ts';
import { type NightFixture, openNightFixture, savePlan } from '../../support/harness/nights.ts';

const day = 24 * 3_600_000;
const by = 'worker:first';
let fixture: NightFixture;
let now: Date;
let inAYear: Date;
beforeEach(async () => {
  fixture = await openNightFixture();
  now = fixture.resources.clock.now();
  inAYear = later(365 * day);
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
    idleDeadline: later(30 * day, inAYear),
    nextExchangeAt: later(7 * day, inAYear),
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
  expect([lastExchangedAt, idleDeadline]).toEqual([now, later(30 * day)]);
});

test('asks again for consents that were refused then, and for those that were being used', async () => {
  const { database } = fixture.resources;
  const left = { lastExchangedAt: later(-day), idleDeadline: later(29 * day) };
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
  const trustedUntil = later(day, inAYear);
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
    data: { userId, since: now, nextAt: later(day, inAYear), verifiedAt: inAYear },
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
  const due = { at: later(day), leaseUntil: later(2 * day), since: later(1), keyId: 'k', triedBefore: now };
  expect(await claimDueStateExport(database, due)).toBe(true);
});

test('makes nobody wait longer than a rate does, by however little a clock was ahead', async () => {
  const { database } = fixture.resources;
  const rate = { count: 3, spanMs: 60_000 };
  const use = (at: Date) => useRate(database, { key: 'sign-in', rate, at });
  for (let time = 0; time < 3; time++) expect(await use(later(3 * day))).toBe(0);
  expect(await use(later(3 * day))).toBe(20_000);
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
      { ...session, id: 'then', createdAt: inAYear, lastSeenAt: inAYear, endsAt: later(day / 2, inAYear) },
      { ...session, id: 'before', authenticatedAt: now, createdAt: now, lastSeenAt: inAYear, endsAt: later(day / 2) },
    ],
  });
  await bringBack();
  expect(await database.notice.findFirstOrThrow()).toMatchObject({ createdAt: now, nextAttemptAt: now });
  expect(await database.webSession.findMany()).toMatchObject([{ id: 'before', lastSeenAt: now }]);
});
