import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { mountSmallDisk } from '../../support/fixtures/small-disk.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type Installation, openInstallation } from '../../support/harness/installation.ts';
import { eventually } from '../../support/harness/nightkeep.ts';

/** DATA_DIR, with the embedded PostgreSQL. */
const disk = mountSmallDisk(200, 'a full disk of the embedded PostgreSQL');
const data = join(disk?.path ?? '', 'postgres', 'data');
const embedded = { DATABASE_URL: undefined };
let opened: AsyncDisposableStack;
let installation: Installation;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  if (disk === undefined) return;
  opened.use(disk);
  const STORE_URL = `file://${opened.use(await temporaryFolder('store')).path}/store`;
  installation = opened.use(await openInstallation({ settings: { DATA_DIR: disk.path, STORE_URL } }));
});
afterAll(() => opened.disposeAsync());

/** Connects as the superuser; what it answers has the server log changes until that takes the rest of its disk, and it ends. */
async function connectToExhaust(): Promise<() => Promise<void>> {
  const pidFile = join(data, 'postmaster.pid');
  const password = readFileSync(join(data, '..', 'password'), 'utf8').trim();
  const [, , , port] = readFileSync(pidFile, 'utf8').split('\n');
  const client = new pg.Client({ connectionString: `postgres://nightkeep:${password}@127.0.0.1:${port}/postgres` });
  client.on('error', () => {});
  await client.connect();
  const emit = `SELECT pg_logical_emit_message(true, 'x', repeat('x', 1000000)) FROM generate_series(1, 20)`;
  return async () => {
    while (await client.query(emit).then(Boolean, () => false));
    await client.end().catch(() => {});
    await expect.poll(() => existsSync(pidFile), { timeout: 60_000 }).toBe(false);
  };
}

test.skipIf(disk === undefined)(
  'a full disk of the embedded PostgreSQL is told as that, and once there is room all goes on by itself',
  async () => {
    await using service = await installation.start(embedded);
    const visitor = await installation.visitor(alice);
    await visitor.open(new URL('?scope=offline_access', installation.url).href);
    await visitor.press(texts.consent.agree);
    const home = async () => {
      await visitor.open(installation.url.href);
      return visitor.text();
    };
    await eventually(async () => (await home()).includes(texts.home.protected));

    const exhaust = await connectToExhaust();
    // What every new connection reads, or writes where it is missing.
    for (const place of ['global', 'base/5']) rmSync(join(data, place, 'pg_internal.init'), { force: true });
    const makeRoom = disk?.fill() ?? (() => {});
    const ended = await installation.run(['status'], embedded);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^nightkeep: The disk of PostgreSQL is full\. Make room there: [^\n]+\n$/);
    const { stdout } = await installation.run(['doctor', '--json'], embedded);
    expect(JSON.parse(stdout).checks).toContainEqual({
      name: 'database',
      state: 'wrong',
      finding: 'The disk of PostgreSQL is full.',
      cure: expect.stringContaining('Make room there'),
    });
    expect(stdout).not.toContain('did not finish');

    await exhaust();
    expect(await home()).toContain(texts.errors.told['database/unavailable'].act);
    await eventually(() => service.stderr.includes('"event":"database.restart-failed"'));
    makeRoom();
    await eventually(async () => (await fetch(new URL('/readyz', installation.url))).status === 200);
    expect(service.stderr).toContain('"event":"database.restarted"');
    expect(await home()).toContain(texts.home.protected);
    await visitor.press(texts.home.now);
    await eventually(
      async () =>
        (await installation.run(['runs', '--state', 'succeeded', '--json'], embedded)).stdout.split('"id"').length ===
        3,
    );
    service.signal('SIGTERM');
    expect(await service.ended).toMatchObject({ code: 0 });
  },
  480_000,
);
