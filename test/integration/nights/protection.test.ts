import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { saveAudit } from '../../../src/database/audit.ts';
import type { Database } from '../../../src/database/client.ts';
import { openCircuit } from '../../../src/database/custody/circuits.ts';
import {
  confirmAlarms,
  findProtectionFacts,
  listProtectionFactsByName,
} from '../../../src/database/notices/protection.ts';
import { judgeProtection } from '../../../src/domain/protection.ts';
import { minuteMs } from '../../../src/durations.ts';
import { type NightFixture, openNightFixture, savePlan } from '../../support/harness/nights.ts';

let fixture: NightFixture;
let database: Database;
let planId: string;
let userId: string;
beforeEach(async () => {
  fixture = await openNightFixture();
  database = fixture.resources.database;
  planId = await savePlan(database);
  userId = (await database.plan.findUniqueOrThrow({ where: { id: planId } })).userId;
  await database.plan.update({ where: { id: planId }, data: { sources: [{ name: 'files', url: 'https://x' }] } });
});
afterEach(() => fixture[Symbol.asyncDispose]());

type NewRun = Omit<
  Parameters<Database['run']['create']>[0]['data'],
  'id' | 'plan' | 'planId' | 'night' | 'slot' | 'trigger'
>;

/** A run that ended so many minutes ago, or has not ended; answers its id. */
async function saveRun(run: Partial<NewRun>, endedMinutesAgo?: number, of = planId): Promise<string> {
  const id = randomUUID();
  const at = fixture.resources.clock.now();
  const finishedAt = endedMinutesAgo === undefined ? null : new Date(at.getTime() - endedMinutesAgo * minuteMs);
  const about = { id, planId: of, night: '2026-04-30', slot: id, trigger: 'schedule', dueAt: at, queuedAt: at };
  await database.run.create({ data: { ...about, finishedAt, ...run } });
  return id;
}

const find = () => findProtectionFacts(database, userId);

describe('the facts of one person', () => {
  test('are of somebody who never consented, or is not known, that there is nothing', async () => {
    await expect(findProtectionFacts(database, randomUUID())).resolves.toMatchObject({ consent: null, plan: null });
    const id = randomUUID();
    const who = { issuer: 'https://idp.example', subject: 'new', createdAt: fixture.resources.clock.now() };
    await database.user.create({ data: { id, ...who } });
    expect(await findProtectionFacts(database, id)).toEqual({
      consent: null,
      circuitOpen: false,
      plan: null,
      complete: null,
      partial: null,
      failed: null,
      underWay: null,
      workersUntil: null,
      nightPausedAt: null,
      alarm: null,
      verification: null,
    });
  });

  test('are consent, plan and the last run of each outcome, each with what matters of it', async () => {
    const at = fixture.resources.clock.now();
    const ago = (minutes: number) => new Date(at.getTime() - minutes * minuteMs);
    await saveRun({ state: 'succeeded', snapshotId: 'a' }, 300);
    const complete = await saveRun({ state: 'succeeded', snapshotId: 'b' }, 200);
    const partial = await saveRun({ state: 'partial', snapshotId: 'c', problemCount: 2 }, 100);
    await saveRun({ state: 'failed', errorCode: 'internal' }, 90);
    const failed = await saveRun({ state: 'failed', errorCode: 'source/unavailable' }, 50);
    await saveRun({ state: 'cancelled' }, 10);
    await saveRun({ dueAt: ago(1) });
    const leaseUntil = new Date(at.getTime() + minuteMs);
    const running = await saveRun({ state: 'running', leaseUntil, dueAt: ago(0), errorCode: 'repository/locked' });
    await saveRun({ state: 'succeeded', snapshotId: 'd', alarm: 'change' }, 500);
    const alarm = await saveRun({ state: 'succeeded', snapshotId: 'e', alarm: 'loss', heldSnapshotId: 'd' }, 400);
    await saveRun({ state: 'succeeded', snapshotId: 'f', alarm: 'loss', alarmSeenAt: at }, 350);
    await saveRun({ state: 'succeeded', snapshotId: 'of somebody else' }, 1, await savePlan(database));
    const { createdAt: _, ...plan } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
    const { zone, windowStart, windowEnd, paused, nextDueAt } = plan;
    expect(await find()).toEqual({
      consent: { state: 'active', reason: null, idleDeadline: at, maxDeadline: null, nextExchangeAt: at },
      circuitOpen: false,
      plan: { zone, windowStart, windowEnd, paused, pausedUntil: null, nextDueAt, sources: 1 },
      complete: { id: complete, endedAt: ago(200) },
      partial: { id: partial, endedAt: ago(100) },
      failed: { id: failed, endedAt: ago(50), errorCode: 'source/unavailable' },
      underWay: {
        id: running,
        state: 'running',
        dueAt: at,
        leaseUntil,
        errorCode: 'repository/locked',
        triedUntil: expect.any(Date),
      },
      workersUntil: leaseUntil,
      nightPausedAt: null,
      alarm: { id: alarm, endedAt: ago(400), kind: 'loss' },
      verification: null,
    });
  });

  test('are of all plans of a person, whichever was made first: of each kind the latest run, and of those under way the one that is worked on, or due first', async () => {
    const at = fixture.resources.clock.now();
    const { grantId, ...plan } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
    const grant = await database.grant.findUniqueOrThrow({ where: { id: grantId } });
    const [other, theirGrantId] = [randomUUID(), randomUUID()];
    await database.grant.create({ data: { ...grant, id: theirGrantId, clientId: 'another' } });
    const { sources: _, retention: __, ...rest } = plan;
    const createdAt = new Date(plan.createdAt.getTime() + minuteMs);
    const made = {
      ...rest,
      id: other,
      grantId: theirGrantId,
      zone: 'Asia/Tokyo',
      sources: [],
      retention: {},
      createdAt,
    };
    await database.plan.create({ data: made });
    const later = (minutes: number) => new Date(at.getTime() + minutes * minuteMs);
    for (const [one, two] of [
      [planId, other],
      [other, planId],
    ]) {
      await database.run.deleteMany();
      await saveRun({ state: 'succeeded', snapshotId: 'a', alarm: 'loss' }, 300, one);
      const complete = await saveRun({ state: 'succeeded', snapshotId: 'b', alarm: 'change' }, 200, two);
      const partial = await saveRun({ state: 'partial', snapshotId: 'c' }, 100, one);
      await saveRun({ state: 'failed', errorCode: 'internal' }, 90, one);
      const failed = await saveRun({ state: 'failed', errorCode: 'source/unavailable' }, 50, two);
      const first = await saveRun({ dueAt: later(1) }, undefined, one);
      await saveRun({ dueAt: later(2) }, undefined, two);
      const expected = {
        plan: { zone: 'Asia/Tokyo', sources: 0 },
        complete: { id: complete },
        partial: { id: partial },
        failed: { id: failed, errorCode: 'source/unavailable' },
        alarm: { id: complete, kind: 'change' },
      };
      expect(await find()).toMatchObject({ ...expected, underWay: { id: first, state: 'queued', dueAt: later(1) } });
      const running = await saveRun({ state: 'running', dueAt: later(3), leaseUntil: later(1) }, undefined, two);
      expect(await find()).toMatchObject({ ...expected, underWay: { id: running, state: 'running', dueAt: later(3) } });
    }
  });

  test('say until when workers hold leases of runs, of anybody', async () => {
    const leaseUntil = new Date(fixture.resources.clock.now().getTime() + minuteMs);
    await saveRun({ dueAt: fixture.resources.clock.now() });
    await saveRun({ state: 'running', leaseUntil }, undefined, await savePlan(database));
    expect(await find()).toMatchObject({ underWay: { state: 'queued' }, workersUntil: leaseUntil });
  });

  test('say since when operators have paused the night, until they resume it, or a run begins all the same', async () => {
    const at = fixture.resources.clock.now();
    const save = (act: 'night-paused' | 'night-resumed') => saveAudit(database, { at, by: 'operator:x', act });
    const pausedAt = async () => (await find()).nightPausedAt;
    await save('night-paused');
    expect(await pausedAt()).toEqual(at);
    await save('night-resumed');
    expect(await pausedAt()).toBeNull();
    await save('night-paused');
    expect(await pausedAt()).toEqual(at);
    // A worker may have had it in hand.
    const soon = new Date(at.getTime() + minuteMs);
    const id = await saveRun({ state: 'running', leaseUntil: soon, startedAt: soon });
    expect(await pausedAt()).toEqual(at);
    await database.run.update({ where: { id }, data: { startedAt: new Date(soon.getTime() + 1) } });
    expect(await pausedAt()).toBeNull();
  });

  test('leave out snapshots that were erased, and what was lost in them', async () => {
    await saveRun({ state: 'succeeded', snapshotId: null, alarm: 'loss' }, 10);
    await saveRun({ state: 'partial', snapshotId: null }, 5);
    expect(await find()).toMatchObject({ complete: null, partial: null, alarm: null });
  });

  test('say that the circuit of the provider is open, and of no other', async () => {
    const client = { issuer: 'https://idp.example', clientId: 'nightkeep' };
    await openCircuit(database, { ...client, issuer: 'https://other.example', reason: 'refusals', at: new Date() });
    expect((await find()).circuitOpen).toBe(false);
    await openCircuit(database, { ...client, reason: 'refusals', at: new Date() });
    expect((await find()).circuitOpen).toBe(true);
  });
});

test('the facts of everybody are those of each, without those who took their consent back', async () => {
  await savePlan(database, { grant: 'withdrawn' });
  await savePlan(database, { grant: 'needs_consent' });
  await saveRun({ state: 'succeeded', snapshotId: 'a' }, 60);
  const all = await listProtectionFactsByName(database, { after: null, limit: 10 });
  expect(all).toHaveLength(2);
  const [first, second] = all;
  expect(await listProtectionFactsByName(database, { after: null, limit: 1 })).toEqual([first]);
  expect(await listProtectionFactsByName(database, { after: first ?? null, limit: 1 })).toEqual([second]);
  expect(await listProtectionFactsByName(database, { after: second ?? null, limit: 1 })).toEqual([]);
  for (const person of all) expect(person.facts).toEqual(await findProtectionFacts(database, person.userId));
  const verdicts = all.map(({ facts }) => judgeProtection(facts, fixture.resources.clock.now()).verdict);
  expect(verdicts.sort()).toEqual(['not', 'protected']);
});

test('looking at a great loss confirms it and those before, once, of this person, on record', async () => {
  const at = fixture.resources.clock.now();
  const older = await saveRun({ state: 'succeeded', snapshotId: 'a', alarm: 'change' }, 60);
  const seen = await saveRun({ state: 'succeeded', snapshotId: 'b', alarm: 'loss' }, 30);
  const newer = await saveRun({ state: 'succeeded', snapshotId: 'c', alarm: 'loss' }, 10);
  await saveRun({ state: 'succeeded', snapshotId: 'd', alarm: 'loss' }, 60, await savePlan(database));
  const confirm = () =>
    confirmAlarms(database, { userId, until: new Date(at.getTime() - 30 * minuteMs), at, by: `user:${userId}` });
  expect(await confirm()).toBe(2);
  expect(await confirm()).toBe(0);
  expect((await find()).alarm?.id).toBe(newer);
  const told = await database.event.findMany({ where: { to: 'looked at' }, orderBy: { subjectId: 'asc' } });
  expect(told.map(({ subjectId }) => subjectId)).toEqual([older, seen].sort());
  expect(await database.run.count({ where: { alarm: { not: null }, alarmSeenAt: null } })).toBe(2);
});
