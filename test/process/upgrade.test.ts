import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { openInstallation } from '../support/harness/installation.ts';
import { consent } from '../support/harness/service-fixture.ts';
import { administer } from '../support/servers/postgres-server.ts';

/** What the migration of a version to come may do while this one runs: it adds (test/unit/project/migrations.test.ts). */
const expansion = [
  `ALTER TABLE runs ADD COLUMN later TEXT NOT NULL DEFAULT 'not known yet'`,
  'ALTER TABLE grants ADD COLUMN later TEXT, ADD COLUMN latest TEXT',
  'ALTER TABLE plans ALTER COLUMN sources DROP NOT NULL',
  `ALTER TYPE run_state ADD VALUE 'later'`,
  'CREATE TABLE later (id UUID PRIMARY KEY, run_id UUID NOT NULL REFERENCES runs (id))',
  `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
    VALUES ('later', '', now(), '99991231235959_later', 1)`,
];

test('this version works on, and starts, on a database that the next one has expanded: old and new run side by side', async () => {
  await using installation = await openInstallation();
  await using before = await installation.start();
  await administer(installation.settings.DATABASE_URL ?? '', ...expansion);
  await consent(installation, alice);
  before.signal('SIGTERM');
  expect(await before.ended).toMatchObject({ code: 0 });
  await using _after = await installation.start();
  const { code, stderr } = await installation.run(['backup', '--user', alice.username, '--wait']);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const runs = await installation.database.run.findMany({ orderBy: { queuedAt: 'asc' } });
  expect(runs.map(({ trigger, state }) => [trigger, state])).toEqual([
    ['consent', 'succeeded'],
    ['operator', 'succeeded'],
  ]);
  const { stdout } = await installation.run(['doctor']);
  expect(stdout).toContain(
    'The database was brought up to a newer version: this one does not know 99991231235959_later.',
  );
});
