import { expect, test } from 'vitest';
import { ownersOf } from '../../../src/cli/people.ts';
import {
  eachPlanForCommand,
  listOwnersOfRuns,
  listRunsForCommand,
} from '../../../src/database/nights/command-views.ts';
import { eachRepositoryPlace } from '../../../src/database/repositories/repository-moves.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { statementsOf } from '../../support/fixtures/sent-statements.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';

const at = new Date('2026-05-04T01:00:30Z');

test('where repositories are comes a page at a time, each once, by the names that people go by, without those that are being erased', async () => {
  await using fixture = await openDatabaseFixture();
  const { database } = fixture;
  for (const statement of fillWithPlans({ plans: 2_300, nights: 1, at })) await database.$executeRawUnsafe(statement);
  await database.$executeRaw`UPDATE users SET username = NULL WHERE id IN (SELECT id FROM users ORDER BY id LIMIT 700)`;
  await database.$executeRaw`UPDATE users SET username = 'one of many' WHERE id IN (SELECT id FROM users ORDER BY id DESC LIMIT 700)`;
  const [first, second] = await database.repository.findMany({ take: 2, orderBy: { id: 'asc' } });
  await database.repository.update({ where: { id: first?.id ?? '' }, data: { eraseAt: new Date(0) } });
  await database.repository.update({ where: { id: second?.id ?? '' }, data: { eraseAt: new Date('2200-01-01') } });
  const pages = await Array.fromAsync(eachRepositoryPlace(database));
  expect(pages.map(({ length }) => length).slice(0, 2)).toEqual([1_000, 1_000]);
  const found = pages.flat();
  const all = await database.repository.findMany({ where: { id: { not: first?.id ?? '' } } });
  expect(found.map(({ id }) => id).toSorted()).toEqual(all.map(({ id }) => id).toSorted());
  const names = found.map(({ username, subject }) => username ?? subject);
  const [sorted] = await database.$queryRaw<{ names: string[] }[]>`
    SELECT array_agg(name ORDER BY name) AS names FROM unnest(${names}::text[]) name`;
  expect(names).toEqual(sorted?.names);
  // Of everybody it asks the database alone.
  const needs = { database } as Parameters<typeof ownersOf>[0];
  const owners = await Array.fromAsync(ownersOf(needs, { all: true }, 'looking'));
  expect(owners.map(({ id }) => id)).toEqual(
    found.filter(({ eraseAt }) => eraseAt === null).map(({ userId }) => userId),
  );
  expect(owners.length).toBe(all.length - 1);
});

test('plans come a page at a time, each once, of those whose consent may be used', async () => {
  await using fixture = await openDatabaseFixture();
  const { database } = fixture;
  for (const statement of fillWithPlans({ plans: 2_300, nights: 1, at })) await database.$executeRawUnsafe(statement);
  const sent = await statementsOf(async () => {
    const plans = await Array.fromAsync(eachPlanForCommand(database, undefined));
    const where = { grant: { state: 'active' as const } };
    const all = await database.plan.findMany({ where, orderBy: { id: 'asc' }, select: { id: true } });
    expect(plans.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  });
  expect(sent.length).toBeGreaterThan(3);
});

test('runs are looked up however many there are', async () => {
  await using fixture = await openDatabaseFixture();
  const ids = Array.from({ length: 70_000 }, () => crypto.randomUUID());
  expect(await listRunsForCommand(fixture.database, ids)).toEqual([]);
  expect(await listOwnersOfRuns(fixture.database, ids)).toEqual(new Map());
});
