import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, test } from 'vitest';
import { type DatabaseFixture, openDatabaseFixture } from '../../support/harness/database.ts';
import { sharingCompilers } from '../../support/harness/query-compiler.ts';
import { openTestDatabase, type TestDatabase } from '../../support/servers/postgres.ts';
import { connected } from '../../support/servers/postgres-server.ts';

const ask = async ({ url }: Pick<TestDatabase, 'url'>, sql: string) =>
  connected(url, async (client) => (await client.query<Record<string, unknown>>(sql)).rows);
const insertUser = `INSERT INTO users (id, issuer, subject, created_at) VALUES ('${randomUUID()}', 'i', 's', now())`;
const insertEvent = `INSERT INTO events (subject_kind, subject_id, "to", by, at) VALUES ('grant', 'x', 'y', 'z', now()) RETURNING id`;

test.each([
  [{}, { migrated: true }],
  [{ empty: true }, { migrated: false }],
])('a test database (%o) is its own', async (options, expected) => {
  await using database = await openTestDatabase(options);
  await using other = await openTestDatabase(options);
  expect(other.url).not.toBe(database.url);
  const migrated = "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS migrated";
  expect(await ask(database, migrated)).toEqual([expected]);
});

test('one that is used again has no rows, counts from one, and nobody is connected any more', async () => {
  const database = await openTestDatabase();
  const left = new pg.Client({ connectionString: database.url });
  await left.connect();
  const ended = new Promise((resolve) => left.on('error', resolve));
  await ask(database, insertUser);
  expect(await ask(database, insertEvent)).toEqual([{ id: '1' }]);
  await database[Symbol.asyncDispose]();
  await ended;

  await using again = await openTestDatabase();
  expect(again.url).toBe(database.url);
  expect(await ask(again, 'SELECT * FROM users')).toEqual([]);
  expect(await ask(again, insertEvent)).toEqual([{ id: '1' }]);
});

test('clients whose queries are compiled together each ask their own database', async () => {
  await using one = await openDatabaseFixture();
  await using other = await openDatabaseFixture();
  await ask(one, insertUser);
  const subjects = ({ database }: DatabaseFixture) => database.user.findMany({ select: { subject: true } });
  expect([await subjects(one), await subjects(other)]).toEqual([[{ subject: 's' }], []]);
});

test('clients of one kind compile a query once, and one of another kind anew', () => {
  const compiled: unknown[] = [];
  class QueryCompiler {
    readonly #options: object;
    readonly compile = (request: string) => compiled.push([this.#options, request]);
    readonly compileBatch = (request: string) => compiled.push([this.#options, 'batch', request]);

    constructor(options: object) {
      this.#options = options;
    }
  }
  const shared = sharingCompilers({ QueryCompiler }).QueryCompiler;
  const [one, like, other] = [new shared({ of: 1 }), new shared({ of: 1 }), new shared({ of: 2 })];
  expect([one.compile('q'), like.compile('q'), like.compileBatch('q'), other.compile('q'), one.compile('r')]).toEqual([
    1, 1, 2, 3, 4,
  ]);
  expect(compiled).toEqual([
    [{ of: 1 }, 'q'],
    [{ of: 1 }, 'batch', 'q'],
    [{ of: 2 }, 'q'],
    [{ of: 1 }, 'r'],
  ]);
});

test.each([
  'ALTER TABLE circuits RENAME TO elsewhere',
  'ALTER TABLE users RENAME COLUMN subject TO other',
  'DROP INDEX runs_plan_id_state_finished_at_idx',
  "ALTER TYPE grant_state ADD VALUE 'later'",
  "ALTER TABLE events ALTER COLUMN by SET DEFAULT 'x'",
  'CREATE SCHEMA another',
  "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'x', 'later')",
])('one whose schema was changed is not used again: %s', async (change) => {
  const database = await openTestDatabase();
  await ask(database, change);
  await database[Symbol.asyncDispose]();
  await expect(ask(database, 'SELECT 1')).rejects.toThrow(/does not exist/);
});
