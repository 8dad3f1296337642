import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openPeopleCount, tallyOf } from '../../../src/domain/people-tally.ts';
import { eachProtectionByName } from '../../../src/flows/nights/find-protection.ts';
import { recountPeople, tallyPeople } from '../../../src/flows/nights/tally-people.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { statementsOf } from '../../support/fixtures/sent-statements.ts';
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
  const { tally } = await recountPeople(resources, async (people) => void batches.push(people.length));
  expect(batches).toEqual([1_000, 200]);
  const all = (await Array.fromAsync(eachProtectionByName(resources))).flat().map(({ protection }) => protection);
  expect(tally).toEqual(tallyOf(all, new Date(start)));
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

test('whoever asks for a later moment than people are being counted of gets a count of that one', async () => {
  const resources = counting(0);
  const before = tallyPeople(resources);
  await vi.waitUntil(() => resources.peopleCount.underWay !== null);
  await resources.moved.advance(1);
  const since = resources.clock.now();
  const [earlier, later] = await Promise.all([before, tallyPeople(resources, since)]);
  expect(earlier.at).toEqual(new Date(start));
  expect(later.at).toEqual(since);
  expect(resources.peopleCount.underWay).toBeNull();
});

test('what takes long is kept for a hundred times as long, told with its moment, and counted again by one worker', async () => {
  const resources = counting(30_000);
  const first = await tallyPeople(resources);
  await fixture.database.grant.updateMany({ where: { state: 'needs_consent' }, data: { state: 'withdrawn' } });
  await resources.moved.advance(100 * 30_000 - 1);
  expect(await tallyPeople(resources)).toEqual(first);
  let batches = 0;
  const recount = () =>
    recountPeople(resources, async () => {
      batches += 1;
    });
  expect(await recount()).toEqual(first);
  expect(batches).toBe(0);
  await resources.moved.advance(1);
  const both = await Promise.all([recount(), recount()]);
  expect(batches).toBe(2);
  const fresh = both.find(({ at }) => at > first.at);
  expect(both).toContainEqual(first);
  expect(fresh?.tally.menders.person).toBeLessThan(first.tally.menders.person);
  expect(await tallyPeople(resources)).toEqual(fresh);
});
