import pg from 'pg';
import { expect, test } from 'vitest';
import { openTestDatabase } from '../../support/servers/postgres.ts';

test.each([
  [{}, { migrated: true }],
  [{ empty: true }, { migrated: false }],
])('a test database (%o) is its own, has no rows of anybody, and is gone afterwards', async (options, { migrated }) => {
  const database = await openTestDatabase(options);
  const other = await openTestDatabase(options);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(
    "SELECT current_database() AS name, to_regclass('_prisma_migrations') IS NOT NULL AS migrated",
  );
  const users = migrated && (await client.query('SELECT * FROM users')).rows;
  await client.end();
  expect(rows).toEqual([{ name: expect.stringMatching(/^nightkeep_test_/), migrated }]);
  expect(users).toEqual(migrated && []);
  expect(other.url).not.toBe(database.url);
  await database[Symbol.asyncDispose]();
  await expect(new pg.Client({ connectionString: database.url }).connect()).rejects.toThrow(/does not exist/);
  await other[Symbol.asyncDispose]();
});
