import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { countLostAnswers, findAnswerBefore } from '../../../src/database/custody/exchanges.ts';
import { findNightsBefore } from '../../../src/database/nights/night-facts.ts';
import { findHolding, listNights } from '../../../src/database/nights/night-views.ts';
import { findHome, findRunOfPerson } from '../../../src/database/nights/views.ts';
import { findProtectionFacts } from '../../../src/database/notices/protection.ts';
import { measureRepositories } from '../../../src/database/repositories/measure-repositories.ts';
import {
  beforeAllPruneDue,
  findRetention,
  listPruneDue,
  listSnapshotsOnRecord,
} from '../../../src/database/repositories/retention.ts';
import { trustOf } from '../../../src/domain/trust.ts';
import { dayMs } from '../../../src/durations.ts';
import { forgetOldRecords } from '../../../src/flows/records/forget-old-records.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { addRepositoryRow } from '../../support/harness/keys.ts';
import { type NightFixture, openNightFixture, savePlan } from '../../support/harness/nights.ts';
import { keyLine } from '../../support/harness/settings.ts';

const now = Date.parse('2026-05-01T00:00:00Z');
const recordsKept = { runsMs: 400 * dayMs, usesMs: 400 * dayMs, eventsMs: 90 * dayMs, auditMs: 1_095 * dayMs };
const fullWalkNights = 30;
const session = { idleMs: 7_200_000, maxMs: 43_200_000 };
const ago = (days: number) => new Date(now - days * dayMs);
const dateOf = (days: number) => ago(days).toISOString().slice(0, 10);

const keyring = parseKeyring(keyLine('one'));

let fixture: NightFixture;
beforeAll(async () => {
  fixture = await openNightFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
afterEach(() => fixture.resources.database.user.deleteMany());

const database = () => fixture.resources.database;
const forget = (limit?: number) =>
  forgetOldRecords(
    { ...fixture.resources, config: { recordsKept, fullWalkNights, session } },
    limit === undefined ? {} : { limit },
  );

interface Person {
  readonly userId: string;
  readonly grantId: string;
  readonly planId: string;
}

async function newPerson(prunedAt: Date | null): Promise<Person> {
  const planId = await savePlan(database(), { nextDueAt: '2026-05-02T01:00:00Z' });
  const { userId, grantId } = await database().plan.findUniqueOrThrow({ where: { id: planId } });
  await addRepositoryRow({ database: database(), keyring }, userId, ago(1_000));
  await database().repository.update({ where: { userId }, data: { prunedAt } });
  return { userId, grantId, planId };
}

type Night = {
  readonly daysAgo: number;
  readonly state: 'succeeded' | 'partial' | 'failed' | 'cancelled' | 'skipped';
  readonly isThere: boolean;
  readonly alarm: 'loss' | null;
  readonly isSeen: boolean;
  readonly fence: number;
  readonly foldersPassedOver: number;
  readonly isUnreliable: boolean;
};

async function addNights({ planId }: Pick<Person, 'planId'>, nights: readonly Night[]): Promise<string[]> {
  const rows = nights.map((night) => {
    const at = ago(night.daysAgo);
    const hasSnapshot = night.state === 'succeeded' || night.state === 'partial';
    return {
      ...{ id: randomUUID(), planId, night: dateOf(night.daysAgo), slot: randomUUID(), trigger: 'schedule' },
      ...{ dueAt: at, queuedAt: at, startedAt: at, finishedAt: at, state: night.state, fence: night.fence },
      ...(hasSnapshot && {
        snapshotId: randomUUID(),
        snapshotForgottenAt: night.isThere ? null : ago(night.daysAgo / 2),
        counts: { foldersPassedOver: night.foldersPassedOver, dataAdded: 100, totalBytes: 1_000 },
        unreliableRoots: night.isUnreliable ? ['files'] : [],
        alarm: night.alarm,
        alarmSeenAt: night.isSeen ? at : null,
      }),
      problems: [{ path: 'a file', code: 'source/forbidden', message: 'No.', kept: true }],
      problemCount: 1,
    };
  });
  await database().run.createMany({ data: rows });
  await database().event.createMany({
    data: rows.flatMap(({ id, finishedAt: at }) =>
      ['queued', 'running', 'succeeded'].map((to) => ({ subjectKind: 'run', subjectId: id, to, at, by: 'test' })),
    ),
  });
  return rows.map(({ id }) => id);
}

const someNight: fc.Arbitrary<Night> = fc.record({
  daysAgo: fc.oneof(fc.integer({ min: 1, max: 399 }), fc.integer({ min: 401, max: 900 })),
  state: fc.constantFrom('succeeded', 'succeeded', 'partial', 'failed', 'cancelled', 'skipped'),
  isThere: fc.boolean(),
  alarm: fc.constantFrom(null, null, null, 'loss'),
  isSeen: fc.boolean(),
  fence: fc.constantFrom(1, 1, 1, 2),
  foldersPassedOver: fc.constantFrom(0, 7),
  isUnreliable: fc.boolean(),
});
const someNights = fc.uniqueArray(someNight, {
  minLength: 90,
  maxLength: 180,
  selector: ({ daysAgo }) => daysAgo,
});
const somePruning = fc.option(fc.integer({ min: 0, max: 900 }));

/** All that is judged or shown by runs, as it is told of one person. */
async function whatRunsTell({ userId }: Person) {
  const open = database();
  const { trusted } = await findNightsBefore(open, { userId, snapshotIds: [], nights: fullWalkNights });
  return {
    protection: await findProtectionFacts(open, userId),
    retention: await findRetention(open, userId),
    kept: await listSnapshotsOnRecord(open, userId),
    holding: await findHolding(open, { userId }),
    home: await findHome(open, { userId }),
    year: await listNights(open, { userId, since: dateOf(371) }),
    trust: trustOf(trusted, { night: dateOf(0), nights: fullWalkNights }),
    repositories: await measureRepositories(open),
    pruneDue: await listPruneDue(open, {
      ...{ prunedBefore: ago(7), quietUntil: ago(-0.01), after: beforeAllPruneDue, limit: 9 },
    }),
  };
}

test('whatever the nights were, nothing that is judged or shown by them changes, and what else is old goes', async () => {
  let gone = 0;
  await fc.assert(
    fc.asyncProperty(someNights, somePruning, async (nights, prunedDaysAgo) => {
      const person = await newPerson(prunedDaysAgo === null ? null : ago(prunedDaysAgo));
      await addNights(person, nights);
      const before = await whatRunsTell(person);
      const { runs } = await forget(7);
      gone += runs;
      expect(await whatRunsTell(person)).toEqual(before);
      expect(await database().run.count({ where: { finishedAt: { gte: ago(400) } } })).toBe(
        nights.filter(({ daysAgo }) => daysAgo < 400).length,
      );
      expect(await forget()).toMatchObject({ runs: 0 });
      expect(await database().event.count({ where: { subjectKind: 'run' } })).toBe(3 * (await countYoung()));
      await database().user.deleteMany();
      await database().event.deleteMany();
    }),
    { numRuns: 12 },
  );
  expect(gone).toBeGreaterThan(100);
});

/** Runs whose events are young. */
const countYoung = () => database().run.count({ where: { finishedAt: { gte: ago(90) } } });

test('of 900 nights whose rule kept 20 snapshots, the last 400 stay on record, and those whose snapshots are there', async () => {
  const person = await newPerson(ago(1));
  const plain = { state: 'succeeded', alarm: null, isSeen: false, fence: 1, foldersPassedOver: 7 } as const;
  const ids = await addNights(
    person,
    Array.from({ length: 900 }, (_, index) => ({
      ...plain,
      daysAgo: index + 0.5,
      isThere: index < 10 || index % 90 === 0,
      isUnreliable: false,
    })),
  );
  const gone = { runs: 495, restores: 0, notices: 0, uses: 0, events: 3 * (900 - 90 - 495), audit: 0 };
  expect(await forget()).toEqual(gone);
  const stayed = await database().run.findMany({ select: { id: true } });
  expect(stayed.map(({ id }) => id).sort()).toEqual(ids.filter((_, index) => index < 400 || index % 90 === 0).sort());
  const { userId } = person;
  expect(await findRunOfPerson(database(), { userId, runId: ids[405] ?? '' })).toBeNull();
});

test('of a person whose nights stopped long ago, the last of each outcome and the last thirty stay', async () => {
  const person = await newPerson(ago(1));
  const gone = { isThere: false, alarm: null, isSeen: false, fence: 1, foldersPassedOver: 0, isUnreliable: false };
  const ids = await addNights(
    person,
    Array.from({ length: 90 }, (_, index) => ({
      ...gone,
      daysAgo: 500 + index,
      state: index === 80 ? 'partial' : 'succeeded',
    })),
  );
  expect(await forget()).toMatchObject({ runs: 59 });
  const stayed = await database().run.findMany({ select: { id: true } });
  expect(stayed.map(({ id }) => id).sort()).toEqual([...ids.slice(0, 30), ids[80]].sort());
});

test('a run that is not over, one that a worker may still write to, and what waits for a prune stay, whatever their age', async () => {
  const person = await newPerson(ago(700));
  const cause = { isThere: false, alarm: null, isSeen: false, foldersPassedOver: 0, isUnreliable: false };
  const failed = { ...cause, state: 'failed', fence: 1 } as const;
  await addNights(
    person,
    Array.from({ length: 60 }, (_, index) => ({ ...failed, daysAgo: index + 1 })),
  );
  const [unpruned] = await addNights(person, [{ ...failed, daysAgo: 600 }]);
  const [pruned, held, queued] = await addNights(person, [
    { ...failed, daysAgo: 800 },
    { ...failed, daysAgo: 801, state: 'cancelled' },
    { ...failed, daysAgo: 802 },
  ]);
  const { run } = database();
  await run.update({ where: { id: held ?? '' }, data: { leaseUntil: ago(-1) } });
  await run.update({ where: { id: queued ?? '' }, data: { state: 'queued' } });
  await forget();
  const old = await run.findMany({ where: { finishedAt: { lt: ago(400) } }, select: { id: true } });
  expect(old.map(({ id }) => id).sort()).toEqual([unpruned, held, queued].sort());
  expect(await run.count({ where: { id: pruned ?? '' } })).toBe(0);
});

test('uses go after their time, except the last ten of a consent, by which lost answers are judged', async () => {
  const { grantId } = await newPerson(null);
  await database().grant.update({ where: { id: grantId }, data: { fence: 500 } });
  const use = { grantId, generation: 1, holder: 'test', purpose: 'run', status: 200 };
  const rows = Array.from({ length: 500 }, (_, index) => {
    const at = ago(500 - index + 395);
    const answered = { answeredAt: at, verdict: index % 3 === 0 ? 'ambiguous' : 'ok' };
    return { ...use, id: randomUUID(), fence: index + 1, startedAt: at, ...(index !== 2 && answered) };
  });
  await database().exchange.createMany({ data: rows });
  const judged = async () => [
    await countLostAnswers(database(), { grantId, generation: 1, besides: randomUUID() }),
    (await findAnswerBefore(database(), { grantId, fence: 500 }))?.verdict,
  ];
  const before = await judged();
  expect(await forget()).toMatchObject({ uses: 489 });
  expect(await judged()).toEqual(before);
  const fences = await database().exchange.findMany({ select: { fence: true }, orderBy: { fence: 'asc' } });
  expect(fences.map(({ fence }) => fence)).toEqual([3, ...Array.from({ length: 10 }, (_, index) => 491 + index)]);
});

test('events go after theirs, except receipts of erasures, how tokens ended, and moves of providers', async () => {
  const events = [
    ['user', 'snapshots erased', true],
    ['user', 'snapshots being erased', true],
    ['grant', 'revoked', true],
    ['grant', 'expired', true],
    ['grant', 'shredded', true],
    ['provider', 'https://new.example', true],
    ['grant', 'active', false],
    ['plan', 'paused', false],
    ['session', 'ended', false],
    ['circuit', 'open', false],
  ] as const;
  for (const days of [89, 91])
    await database().event.createMany({
      data: events.map(([subjectKind, to]) => ({ subjectKind, subjectId: 'x', to, at: ago(days), by: 'test' })),
    });
  expect(await forget(2)).toMatchObject({ events: 4 });
  const old = await database().event.findMany({ where: { at: ago(91) }, orderBy: { id: 'asc' } });
  expect(old.map(({ to }) => to)).toEqual(events.filter(([, , stays]) => stays).map(([, to]) => to));
  expect(await database().event.count({ where: { at: ago(89) } })).toBe(events.length);
  await database().event.deleteMany();
});

test('notices that were dealt with and restores that are over go as runs do', async () => {
  const { userId } = await newPerson(null);
  for (const days of [399, 401]) {
    const createdAt = ago(days);
    const notice = { channel: 'mail-person', userId, facts: {}, createdAt };
    await database().notice.createMany({
      data: [
        { ...notice, id: randomUUID(), key: `delivered ${days}`, deliveredAt: createdAt },
        { ...notice, id: randomUUID(), key: `waiting ${days}`, nextAttemptAt: createdAt },
      ],
    });
    const restore = { userId, snapshotId: 'x', path: '', askedAt: createdAt };
    await database().restore.createMany({
      data: [
        { ...restore, id: randomUUID(), state: 'succeeded', folder: `over ${days}` },
        { ...restore, id: randomUUID(), state: 'running', folder: `running ${days}`, toldAt: ago(1) },
      ],
    });
  }
  expect(await forget()).toMatchObject({ notices: 1, restores: 1 });
  const notices = await database().notice.findMany({ select: { key: true } });
  expect(notices.map(({ key }) => key).sort()).toEqual(['delivered 399', 'waiting 399', 'waiting 401']);
  const restores = await database().restore.findMany({ select: { folder: true } });
  expect(restores.map(({ folder }) => folder).sort()).toEqual(['over 399', 'running 399', 'running 401']);
});

test('what the audit says of people goes by its age, not within a year, and what it says of the service stays', async () => {
  const userId = randomUUID();
  const entries = [1_094, 1_096].flatMap((days) => [
    { at: ago(days), by: `user:${userId}`, act: 'consent-given', userId, about: `given ${days}` },
    { at: ago(days), by: `operator:${userId}`, act: 'operator-signed-in', userId, about: `signed in ${days}` },
    { at: ago(days), by: `operator:${userId}`, act: 'night-paused', about: `paused ${days}` },
  ]);
  await database().audit.createMany({ data: entries });
  expect(await forget()).toMatchObject({ audit: 1 });
  const left = async () => (await database().audit.findMany({ orderBy: { id: 'asc' } })).map(({ about }) => about);
  const others = ['given 1094', 'signed in 1094', 'paused 1094', 'signed in 1096', 'paused 1096'];
  expect(await left()).toEqual(others);
  for (const about of others.slice(1))
    await expect(database().audit.deleteMany({ where: { about } })).rejects.toThrow(/append-only/);

  const byTheClockOfTheDatabase = (days: number) => new Date(Date.now() - days * dayMs);
  for (const days of [364, 366])
    await database().audit.create({
      data: { at: byTheClockOfTheDatabase(days), by: 'schedule', act: 'data-pruned', userId, about: `pruned ${days}` },
    });
  const wrongClock = { ...fixture.resources.clock, now: () => new Date('2199-01-01') };
  const config = { recordsKept, fullWalkNights, session };
  expect(await forgetOldRecords({ ...fixture.resources, clock: wrongClock, config })).toMatchObject({ audit: 2 });
  expect(await left()).toEqual([...others.slice(1), 'pruned 364']);
  await expect(database().audit.deleteMany({ where: { about: 'pruned 364' } })).rejects.toThrow(/append-only/);
});

test('stops between two batches when its signal is aborted, and has the queue forget what is as old', async () => {
  const person = await newPerson(ago(1));
  const gone = { isThere: false, alarm: null, isSeen: false, fence: 1, foldersPassedOver: 0, isUnreliable: false };
  await addNights(
    person,
    Array.from({ length: 60 }, (_, index) => ({ ...gone, daysAgo: 500 + index, state: 'succeeded' as const })),
  );
  const forgetEvents = vi.spyOn(fixture.resources.queues.backUps, 'forgetEvents');
  const needs = { ...fixture.resources, config: { recordsKept, fullWalkNights, session } };
  expect(await forgetOldRecords(needs, { signal: AbortSignal.abort(), limit: 5 })).toMatchObject({ runs: 0 });
  expect(await forgetOldRecords(needs, { limit: 5 })).toMatchObject({ runs: 30 });
  expect(forgetEvents).toHaveBeenLastCalledWith(ago(90));
});
