import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProtectionFacts } from '../../../src/database/notices/protection.ts';
import { countDamaged, countUnverified } from '../../../src/database/repositories/verification-views.ts';
import { isAlarming, isWhole } from '../../../src/domain/damage.ts';
import { lastWindow } from '../../../src/domain/nights.ts';
import { aDayBefore, isRecent } from '../../../src/domain/people-tally.ts';
import { judgeProtection, overdueMs } from '../../../src/domain/protection.ts';
import type { ProtectionFacts } from '../../../src/domain/protection-facts.ts';
import { listWhoMayBeTold } from '../../../src/flows/notices/list-who-may-be-told.ts';
import { base, madeUpFacts, moments, toldAt } from '../../support/fixtures/made-up-facts.ts';
import { momentsToTell } from '../../support/fixtures/moments-to-tell.ts';
import { type DatabaseFixture, openDatabaseFixture } from '../../support/harness/database.ts';

const people = 200;
const seed = 7;

let fixture: DatabaseFixture;
/** Everybody, as the database has them, and the moments of each. */
const known = new Map<string, { facts: ProtectionFacts; moments: readonly Date[] }>();
beforeAll(async () => {
  fixture = await openDatabaseFixture();
  const { database } = fixture;
  const rows = fc.sample(madeUpFacts, { seed, numRuns: people }).map(rowsOf);
  await database.user.createMany({ data: rows.map(({ user }) => user) });
  await database.repository.createMany({ data: rows.map(({ repository }) => repository) });
  await database.verification.createMany({ data: rows.flatMap(({ verification }) => verification) });
  await database.grant.createMany({ data: rows.flatMap(({ grant }) => grant) });
  await database.plan.createMany({ data: rows.flatMap(({ plan }) => plan) });
  await database.run.createMany({ data: rows.flatMap(({ runs }) => runs) });
  await database.event.deleteMany();
  for (const { user } of rows) {
    const facts = await findProtectionFacts(database, user.id);
    known.set(user.id, { facts, moments: momentsToTell(facts) });
  }
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** The rows of somebody with these facts. */
function rowsOf({ consent, plan, complete, partial, failed, underWay, verification }: ProtectionFacts) {
  const [userId, grantId, planId] = [randomUUID(), randomUUID(), randomUUID()];
  const createdAt = new Date(base);
  const who = { issuer: 'https://idp.example', subject: userId };
  const isPlanned = consent !== null && plan !== null;
  const named = Array.from({ length: plan?.sources ?? 0 }, () => ({ name: 'files', url: 'https://x' }));
  const ended = [
    complete && { state: 'succeeded' as const, finishedAt: complete.endedAt, snapshotId: userId },
    partial && { state: 'partial' as const, finishedAt: partial.endedAt, snapshotId: userId },
    failed && { state: 'failed' as const, finishedAt: failed.endedAt, errorCode: failed.errorCode },
    underWay,
  ];
  const run = () => {
    const id = randomUUID();
    return { planId, night: '2026-03-27', trigger: 'schedule', dueAt: createdAt, queuedAt: createdAt, slot: id, id };
  };
  return {
    user: { id: userId, ...who, createdAt },
    repository: {
      ...{ id: randomUUID(), userId, location: userId, sealedPassword: new Uint8Array(), keyId: 'one', createdAt },
    },
    verification: verification === null ? [] : [verificationOf(userId, verification)],
    grant:
      consent === null
        ? []
        : [
            {
              id: grantId,
              userId,
              ...who,
              clientId: 'x',
              scope: '',
              lastExchangedAt: createdAt,
              createdAt,
              ...consent,
            },
          ],
    plan: isPlanned
      ? [{ ...plan, id: planId, userId, grantId, sources: named, retention: {}, nextNight: '', createdAt }]
      : [],
    runs: isPlanned ? ended.flatMap((one) => (one === null ? [] : [{ ...run(), ...one, id: randomUUID() }])) : [],
  };
}

function verificationOf(userId: string, facts: NonNullable<ProtectionFacts['verification']>) {
  const { damage: damageState, damagedSince: foundAt, healedAt: clearedAt, ...rest } = facts;
  return { ...rest, userId, damageState, foundAt, clearedAt, nextAt: new Date(base) };
}

test('of people as they may be, those are found who have something new to be told by then, and hardly others', async () => {
  const spans = fc.sample(fc.tuple(moments(18), fc.integer({ min: 1, max: 3_000 })), { seed, numRuns: 40 });
  const wrong: object[] = [];
  let told = 0;
  for (const [start, minutes] of spans) {
    const [from, to] = [new Date(start), new Date(start + minutes * 60_000)];
    const found = new Set(await listWhoMayBeTold(fixture.database, { from, to }));
    const isIn = (at: Date) => at > from && at <= to;
    for (const [userId, { facts, moments: own }] of known) {
      const before = toldAt(facts, from.getTime());
      const news = toldAt(facts, to.getTime()).filter((key) => !before.includes(key));
      told += news.length;
      const hasWindow = facts.plan !== null && isIn(lastWindow(facts.plan, to).end);
      const mayBeFound = hasWindow || own.some(isIn);
      if (found.has(userId) ? !mayBeFound : news.length > 0) wrong.push({ from, to, news, facts });
    }
  }
  expect(wrong).toEqual([]);
  expect(told).toBeGreaterThan(100);
});

test('damage, healing and what nobody verified are counted as everybody by themselves comes to', async () => {
  let most = 0;
  for (const days of [-15, -1, 0, 3, 15]) {
    const now = new Date(base + days * 86_400_000);
    const expected = { damaged: 0, newestDamage: 0, gone: 0, newestGone: 0, healed: 0, newestHealing: 0 };
    let unverified = 0;
    for (const { facts } of known.values()) {
      if (facts.consent === null || facts.consent.state === 'withdrawn') continue;
      const { damage, damagedSince, healedAt, isOverdue } = judgeProtection(facts, now).restorable;
      if (isOverdue) unverified += 1;
      if (damage === 'gone') {
        expected.gone += 1;
        expected.newestGone = Math.max(expected.newestGone, damagedSince?.getTime() ?? 0);
      } else if (isAlarming(damage)) {
        expected.damaged += 1;
        expected.newestDamage = Math.max(expected.newestDamage, damagedSince?.getTime() ?? 0);
      } else if (isWhole(damage) && isRecent(healedAt, now)) {
        expected.healed += 1;
        expected.newestHealing = Math.max(expected.newestHealing, healedAt.getTime());
      }
    }
    const counted = await countDamaged(fixture.database, { after: aDayBefore(now) });
    const times = {
      ...{ newestDamage: new Date(expected.newestDamage), newestGone: new Date(expected.newestGone) },
      ...{ newestHealing: new Date(expected.newestHealing), back: 0, newestBack: null, backFrom: null },
    };
    expect(counted).toEqual({ ...expected, ...times });
    expect(Math.min(counted.damaged, counted.gone, counted.healed)).toBeGreaterThan(0);
    const before = new Date(now.getTime() - overdueMs);
    expect(await countUnverified(fixture.database, { before })).toBe(unverified);
    most = Math.max(most, unverified);
  }
  expect(most).toBeGreaterThan(10);
});
