import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/database/client.ts';
import { listPeople } from '../../../src/database/people/people.ts';
import { migrate } from '../../../src/database/server/migrate.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';
import { connected } from '../../support/servers/postgres-server.ts';

const indexes = "SELECT count(*)::int AS count FROM pg_indexes WHERE indexname LIKE 'users\\_%\\_parts'";

test('where pg_trgm is out of reach, everything else is migrated, and people are found by a part of a name all the same', async () => {
  await using server = await openTestDatabase({ empty: true });
  await connected(server.url, (client) =>
    client.query('CREATE SCHEMA elsewhere; CREATE EXTENSION pg_trgm SCHEMA elsewhere'),
  );
  await migrate(server.url);
  expect(await connected(server.url, async (client) => (await client.query(indexes)).rows)).toEqual([{ count: 0 }]);
  const database = await openDatabase(server.url);
  try {
    await addPeople(database, ['Alice', 'bob']);
    expect((await listPeople(database, { search: 'LIC', limit: 10 })).map((one) => one.username)).toEqual(['Alice']);
  } finally {
    await database.$disconnect();
  }
});

/** People of these names, and their ids. */
async function addPeople(database: Database, names: readonly string[]): Promise<string[]> {
  const at = { issuer: 'https://provider.example', createdAt: new Date(0), lastSignedInAt: new Date(0) };
  const rows = names.map((username) => ({ id: randomUUID(), subject: username, username, ...at }));
  await database.user.createMany({ data: rows });
  return rows.map(({ id }) => id);
}

test('a part of a name is what it is, whatever it means in a pattern; a person is found by their id in any case', async () => {
  await using server = await openTestDatabase();
  const database = await openDatabase(server.url);
  try {
    expect(await connected(server.url, async (client) => (await client.query(indexes)).rows)).toEqual([{ count: 3 }]);
    const names = ['100%', '1000', 'a_b', 'acb', 'back\\slash', "o'hara", '李雷'];
    const [, id = ''] = await addPeople(database, names);
    const found = async (search: string) =>
      (await listPeople(database, { search, limit: 10 })).map(({ username }) => username);
    for (const username of ['100%', 'a_b', 'back\\slash', "o'hara", '李雷'])
      expect(await found(username)).toEqual([username]);
    expect(await found('雷')).toEqual(['李雷']);
    expect(await found(id.toUpperCase())).toEqual(['1000']);
    expect(await found(`${id}0`)).toEqual([]);
    expect(await found('')).toHaveLength(7);
  } finally {
    await database.$disconnect();
  }
});
