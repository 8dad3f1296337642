import pg from 'pg';
import { expect, test } from 'vitest';
import { openTestDatabase } from '../../support/servers/postgres.ts';

test('a test database is empty, its own, and gone afterwards', async () => {
  const database = await openTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(
    "SELECT current_database() AS name, (SELECT count(*)::int FROM information_schema.tables WHERE table_schema = 'public') AS tables",
  );
  await client.end();
  expect(rows).toEqual([{ name: expect.stringMatching(/^nightkeep_test_/), tables: 0 }]);
  await database.drop();
  await expect(new pg.Client({ connectionString: database.url }).connect()).rejects.toThrow(/does not exist/);
});
