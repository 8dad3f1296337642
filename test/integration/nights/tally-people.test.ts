import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPeopleCount } from '../../../src/domain/people-tally.ts';
import { eachProtectionByName } from '../../../src/flows/nights/find-protection.ts';
import { recountPeople, tallyPeople } from '../../../src/flows/nights/tally-people.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { statementsOf } from '../../support/fixtures/sent-statements.ts';
import { tallyOf } from '../../support/fixtures/tally-of.ts';
import { type DatabaseFixture, openDatabaseFixture } from '../../support/harness/database.ts';

const start = '2026-05-04T01:00:30Z';
const plans = 1_200;

let fixture: DatabaseFixture;
beforeAll(async () => {
  fixture = await openDatabaseFixture();
  const at = new Date(start);
  for (const statement of fillWithPlans({ plans, nights: 1, at })) await fixture.database.$executeRawUnsafe(statement);
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** A process in which whatever is timed takes so long. */
function counting(tookMs: number) {
  const clock = manualClock(start);
  let elapsed = 0;
  const elapsedOf = () => {
    elapsed += tookMs;
    return elapsed;
  };
  return {
    clock: { ...clock, elapsed: elapsedOf },
    moved: clock,
    database: fixture.database,
    peopleCount: openPeopleCount(),
  };
}

test('people are gone through a batch at a time, and come to what all of them come to at once', async () => {
  const resources = counting(0);
  const batches: number[] = [];
  const onBatch = async (people: readonly unknown[]) => void batches.push(people.length);
  const { tally, isOwn } = await recountPeople(resources, { since: new Date(0), onBatch });
  expect(isOwn).toBe(true);
  expect(batches).toEqual([1_000, 200]);
  const all = (await Array.fromAsync(eachProtectionByName(resources))).flat().map(({ protection }) => protection);
  expect(tally).toEqual(tallyOf(all));
  expect(Object.values(tally.verdicts).reduce((sum, count) => sum + count, 0)).toBe(plans);
  expect(tally.verdicts.protected).toBeGreaterThan(0);
  expect(tally.verdicts.partly).toBeGreaterThan(0);
  expect(tally.menders.person).toBeGreaterThan(0);
  expect(await fixture.database.keptFigure.count()).toBe(0);
});

test('whoever asks while people are counted waits for that', async () => {
  const resources = counting(0);
  const sent = await statementsOf(() => Promise.all([1, 2, 3].map(() => tallyPeople(resources))));
  expect(sent.filter(({ text }) => text.includes('under_way'))).toHaveLength(2);
});

test('what takes long is kept for a hundred times as long, told with its moment, and counted again by one worker', async () => {
  const resources = counting(30_000);
  const first = await tallyPeople(resources);
  await fixture.database.grant.updateMany({ where: { state: 'needs_consent' }, data: { state: 'withdrawn' } });
  await resources.moved.advance(100 * 30_000 - 1);
  expect(await tallyPeople(resources)).toEqual(first);
  let batches = 0;
  const onBatch = async () => {
    batches += 1;
  };
  const recount = (since = new Date(0)) => recountPeople(resources, { since, onBatch });
  expect(await recount()).toEqual({ ...first, isOwn: false });
  expect(batches).toBe(0);
  await resources.moved.advance(1);
  const both = await Promise.all([recount(), recount()]);
  expect(batches).toBe(2);
  const fresh = both.find(({ at }) => at > first.at);
  expect(both).toContainEqual({ ...first, isOwn: false });
  expect(fresh?.tally.menders.person).toBeLessThan(first.tally.menders.person);
  expect({ ...(await tallyPeople(resources)), isOwn: true }).toEqual(fresh);

  await resources.moved.advance(1);
  const since = resources.clock.now();
  const all = await Promise.all([recount(since), recount(since), recount(since)]);
  expect(batches).toBe(4);
  expect(all.map(({ at }) => at >= since).toSorted()).toEqual([false, false, true]);
  expect((await recount(since)).isOwn).toBe(false);
});

test('whoever counts and dies leaves it to another half an hour later, and a count that became quick is kept no longer', async () => {
  const resources = counting(30_000);
  await fixture.database.keptFigure.deleteMany();
  await tallyPeople(resources);
  await resources.moved.advance(1);
  const since = resources.clock.now();
  const onBatch = () => Promise.reject(new Error('It is gone.'));
  await expect(recountPeople(resources, { since, onBatch })).rejects.toThrow('gone');
  await resources.moved.advance(30 * 60_000 - 1);
  expect((await recountPeople(resources, { since })).isOwn).toBe(false);
  await resources.moved.advance(1);
  const quick = { ...resources, clock: { ...resources.clock, elapsed: () => 0 } };
  expect((await recountPeople(quick, { since })).isOwn).toBe(true);
  await resources.moved.advance(1);
  expect((await tallyPeople(quick)).at).toEqual(resources.moved.now());
});

test('few people are counted each time, though a process that has just begun takes its time', async () => {
  const { grant, keptFigure } = fixture.database;
  await keptFigure.deleteMany();
  const { id } = await grant.findFirstOrThrow({ where: { state: 'active' } });
  await grant.updateMany({ where: { id: { not: id } }, data: { state: 'withdrawn' } });
  const resources = counting(900);
  const people = async () => {
    const { verdicts } = (await tallyPeople(resources)).tally;
    return Object.values(verdicts).reduce((sum, count) => sum + count);
  };
  expect(await people()).toBe(1);
  await grant.update({ where: { id }, data: { state: 'withdrawn' } });
  expect(await people()).toBe(0);
});
