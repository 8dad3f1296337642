import { expect, test } from 'vitest';
import { eachGrant } from '../../../src/database/custody/deadlines.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';

const at = new Date('2026-05-04T01:00:30Z');

test('grants come a page at a time, each once, those that end first before the others, also where many end at one moment', async () => {
  await using fixture = await openDatabaseFixture();
  const { database } = fixture;
  for (const statement of fillWithPlans({ plans: 2_300, nights: 1, at })) await database.$executeRawUnsafe(statement);
  const moment = new Date('2026-06-01T00:00:00Z');
  const { count } = await database.grant.updateMany({ where: { state: 'active' }, data: { idleDeadline: moment } });
  expect(count).toBeGreaterThan(1_000);
  const pages = await Array.fromAsync(eachGrant(database, {}));
  expect(pages.map(({ length }) => length).slice(0, 2)).toEqual([1_000, 1_000]);
  const listed = pages.flat().map(({ id }) => id);
  const all = await database.grant.findMany({
    where: { state: { not: 'withdrawn' } },
    orderBy: [{ idleDeadline: 'asc' }, { id: 'asc' }],
  });
  expect(listed).toEqual(all.map(({ id }) => id));
  const ending = (await Array.fromAsync(eachGrant(database, { endingBefore: moment }))).flat();
  expect(ending).toHaveLength(
    all.filter(({ idleDeadline, maxDeadline }) =>
      [idleDeadline, maxDeadline].some((end) => end !== null && end <= moment),
    ).length,
  );
});
