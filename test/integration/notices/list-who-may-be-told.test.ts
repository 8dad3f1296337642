import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/database/client.ts';
import { findProtectionFacts } from '../../../src/database/protection.ts';
import { lastWindow } from '../../../src/domain/nights.ts';
import { momentsToTell } from '../../../src/domain/notices.ts';
import type { ProtectionFacts } from '../../../src/domain/protection.ts';
import { listWhoMayBeTold } from '../../../src/flows/notices/list-who-may-be-told.ts';
import { base, madeUpFacts, moments, toldAt } from '../../support/fixtures/made-up-facts.ts';
import { type DatabaseFixture, openDatabaseFixture } from '../../support/harness/database.ts';

const people = 400;
const seed = 7;

let fixture: DatabaseFixture;
/** Everybody, as the database has them. */
const known = new Map<string, ProtectionFacts>();
beforeAll(async () => {
  fixture = await openDatabaseFixture();
  const { database } = fixture;
  for (const facts of fc.sample(madeUpFacts, { seed, numRuns: people })) {
    const userId = await save(database, facts);
    known.set(userId, await findProtectionFacts(database, userId));
  }
  await database.event.deleteMany();
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** Puts somebody with these facts into the tables; answers their id. */
async function save(database: Database, facts: ProtectionFacts): Promise<string> {
  const [userId, grantId, planId] = [randomUUID(), randomUUID(), randomUUID()];
  const createdAt = new Date(base);
  const who = { issuer: 'https://idp.example', subject: userId };
  await database.user.create({ data: { id: userId, ...who, createdAt } });
  await database.repository.create({
    data: { id: randomUUID(), userId, location: userId, sealedPassword: new Uint8Array(), keyId: 'one', createdAt },
  });
  const { consent, plan, complete, partial, failed, underWay, verification } = facts;
  if (verification !== null) {
    const { damage: damageState, damagedSince: foundAt, healedAt: clearedAt, ...rest } = verification;
    const data = { ...rest, damageState, foundAt, clearedAt, nextAt: createdAt };
    await database.verification.create({ data: { userId, ...data } });
  }
  if (consent === null) return userId;
  const grant = { ...consent, ...who, userId, clientId: 'nightkeep', scope: '', lastExchangedAt: createdAt, createdAt };
  await database.grant.create({ data: { id: grantId, ...grant } });
  if (plan === null) return userId;
  const { sources, ...rest } = plan;
  const named = Array.from({ length: sources }, () => ({ name: 'files', url: 'https://x' }));
  const made = { ...rest, sources: named, retention: {}, nextNight: '2026-03-28', createdAt };
  await database.plan.create({ data: { id: planId, userId, grantId, ...made } });
  const saveRun = async (run: object) => {
    const about = { planId, night: '2026-03-27', trigger: 'schedule', dueAt: createdAt, queuedAt: createdAt };
    const id = randomUUID();
    await database.run.create({ data: { ...about, id, slot: id, ...run } });
  };
  const snapshotId = userId;
  if (complete !== null) await saveRun({ state: 'succeeded', finishedAt: complete.endedAt, snapshotId });
  if (partial !== null) await saveRun({ state: 'partial', finishedAt: partial.endedAt, snapshotId });
  const { endedAt: finishedAt, errorCode } = failed ?? {};
  if (failed !== null) await saveRun({ state: 'failed', finishedAt, errorCode });
  if (underWay !== null) {
    const { id: _, ...run } = underWay;
    await saveRun(run);
  }
  return userId;
}

test('of people as they may be, those are found who have something new to be told by then, and hardly others', async () => {
  const spans = fc.sample(fc.tuple(moments(18), fc.integer({ min: 1, max: 3_000 })), { seed, numRuns: 150 });
  let told = 0;
  for (const [start, minutes] of spans) {
    const [from, to] = [new Date(start), new Date(start + minutes * 60_000)];
    const found = new Set(await listWhoMayBeTold(fixture.database, { from, to }));
    const isIn = (at: Date) => at > from && at <= to;
    for (const [userId, facts] of known) {
      const before = toldAt(facts, from.getTime());
      const news = toldAt(facts, to.getTime()).filter((key) => !before.includes(key));
      told += news.length;
      const about = JSON.stringify({ from, to, news, facts });
      if (news.length > 0) expect(found.has(userId), about).toBe(true);
      const hasWindow = facts.plan !== null && isIn(lastWindow(facts.plan, to).end);
      if (found.has(userId)) expect(hasWindow || momentsToTell(facts).some(isIn), about).toBe(true);
    }
  }
  expect(told).toBeGreaterThan(300);
});
