import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { type Database, openDatabase } from '../../../src/database/client.ts';
import { readMigrations } from '../../../src/database/server/schema-engine.ts';
import { importState } from '../../../src/flows/state/move-state.ts';
import { openKeyring } from '../../../src/repository-resources.ts';
import { type Keyring, parseKeyring } from '../../../src/vault/keyring.ts';
import { sealTexts } from '../../../src/vault/sealed-texts.ts';
import { writeFileWhole } from '../../../src/vault/whole-file.ts';
import { everyRow } from '../../support/fixtures/every-row.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';
import { keyLine } from '../../support/harness/settings.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';

const by = 'command:test';
let opened: AsyncDisposableStack;
let database: Database;
let keyring: Keyring;
let from: string;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  ({ database } = opened.use(await openDatabaseFixture()));
  keyring = await openKeyring(database, parseKeyring(keyLine('one')), new Date());
  from = join(opened.use(await temporaryFolder('older')).path, 'nightkeep.state');
});
afterEach(() => opened.disposeAsync());

const bring = () => importState({ clock: systemClock(), database, keyring }, { from, by });

const schemasLeft = () => database.$queryRaw`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'nightkeep%'`;

/** A database as it was after the migration of that name, and the migrations that it has. */
async function databaseAsOf(last: string) {
  const { url } = opened.use(await openTestDatabase({ empty: true }));
  const older = opened.adopt(await openDatabase(url), (one) => one.$disconnect());
  const { migrationDirectories } = await readMigrations();
  const until = migrationDirectories.findIndex(({ path }) => path.endsWith(last)) + 1;
  const applied = migrationDirectories.slice(0, until);
  for (const { migrationFile } of applied) await older.$executeRawUnsafe(migrationFile.content.value);
  return { older, migrations: applied.map(({ path }) => path) };
}

const [user, grant, plan, run, repository] = Array.from({ length: 5 }, () => randomUUID());

/** Somebody with one night behind them, as tables had them that no version has any more. */
async function someLife(older: Database) {
  await older.$executeRawUnsafe(`
    INSERT INTO users (id, issuer, subject, username, created_at) VALUES ('${user}', 'https://idp.example', 'a', 'alice', now());
    INSERT INTO grants (id, user_id, issuer, client_id, subject, scope, last_exchanged_at, idle_deadline, next_exchange_at, created_at)
      VALUES ('${grant}', '${user}', 'https://idp.example', 'nightkeep', 'a', 'openid', now(), now(), now(), now());
    INSERT INTO plans (id, user_id, grant_id, sources, zone, window_start, window_end, retention, next_night, next_due_at, created_at)
      VALUES ('${plan}', '${user}', '${grant}', '[]', 'UTC', '01:00', '05:00', '{"daily": 7}', '2026-01-02', now(), now());
    INSERT INTO runs (id, plan_id, night, trigger, state, due_at, queued_at, finished_at, snapshot_id)
      VALUES ('${run}', '${plan}', '2026-01-01', 'schedule', 'succeeded', now(), now(), now(), '${'5a'.repeat(32)}');
    INSERT INTO repositories (id, user_id, location, sealed_password, key_id, created_at)
      VALUES ('${repository}', '${user}', 'a-folder', '\\x0102', 'one', now());
    INSERT INTO events (subject_kind, subject_id, "to", at, by) VALUES ('run', '${run}', 'succeeded', now(), 'worker:a'), ('run', '${run}', 'looked at', now(), 'user:a');`);
}

const tables = ['users', 'grants', 'plans', 'runs', 'repositories', 'events'];

async function exportOf(older: Database, migrations: readonly string[], { isCutOff = false } = {}) {
  const manifest = {
    createdAt: '2026-01-02T03:04:05.000Z',
    version: '0.0.1',
    migrations,
    withTokens: false,
    canaries: [],
  };
  await writeFileWhole(from, (sink) =>
    sealTexts(keyring, sink, async ({ write }) => {
      await write(JSON.stringify(manifest));
      const count: Record<string, number> = {};
      for (const table of tables) {
        const numbered = table === 'events' ? "- 'id'" : '';
        const rows = await older.$queryRawUnsafe<{ row: string }[]>(
          `SELECT (to_jsonb(t) ${numbered})::text AS row FROM ${table} t`,
        );
        if (rows.length > 0) await write(`${table}\n${rows.map(({ row }) => row).join('\n')}`);
        count[table] = rows.length;
      }
      if (!isCutOff) await write(JSON.stringify({ end: count }));
    }),
  );
}

test.each(['_first', '_repository_moves'])(
  'an export of the version of migration %s is brought through those that came since, as an upgrade would',
  async (last) => {
    const { older, migrations } = await databaseAsOf(last);
    await someLife(older);
    await exportOf(older, migrations);
    expect(await bring()).toMatchObject({ rows: { users: 1, runs: 1, events: 2 } });
    expect(
      await database.user.findMany({
        include: { plans: { include: { runs: true } }, grants: true, repository: true, verified: true },
      }),
    ).toMatchObject([
      {
        id: user,
        username: 'alice',
        mutedMails: [],
        grants: [{ id: grant, state: 'active' }],
        plans: [{ id: plan, retention: { daily: 7 }, runs: [{ id: run, state: 'succeeded', lostWorkers: 0 }] }],
        repository: { id: repository, location: 'a-folder', adoptedAt: null },
        // What a migration makes of the rows that are there.
        verified: { userId: user },
      },
    ]);
    const events = await database.event.findMany({ where: { subjectKind: 'run' }, orderBy: { id: 'asc' } });
    expect(events.map(({ to }) => to)).toEqual(['succeeded', 'looked at']);
    expect(await schemasLeft()).toEqual([]);
    expect(await database.audit.findMany()).toMatchObject([
      { act: 'state-imported', about: '2026-01-02T03:04:05.000Z' },
    ]);
  },
);

test('of an older export that is cut off nothing is written, and no table stays', async () => {
  const { older, migrations } = await databaseAsOf('_first');
  await someLife(older);
  await exportOf(older, migrations, { isCutOff: true });
  const before = await everyRow(database);
  await expect(bring()).rejects.toThrow(/cut off/);
  expect(await everyRow(database)).toEqual(before);
  expect(await schemasLeft()).toEqual([]);
});

test('an export that a later version made is refused, with the migration that is not known here', async () => {
  const { older, migrations } = await databaseAsOf('_first');
  await exportOf(older, [...migrations, '29991231000000_wonders']);
  const before = await everyRow(database);
  await expect(bring()).rejects.toMatchObject({
    code: 'request/invalid',
    message: expect.stringMatching(/29991231000000_wonders.*that version or a later one/),
  });
  expect(await everyRow(database)).toEqual(before);
});
