import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../../src/database/server/embedded.ts';
import { findServer, startServer, superuser, superuserPassword } from '../../../src/database/server/embedded-server.ts';
import { migrate } from '../../../src/database/server/migrate.ts';
import { openLog } from '../../../src/log.ts';
import { openQueues } from '../../../src/queues/queues.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

const insertUser = `INSERT INTO users (id, issuer, subject, created_at, last_signed_in_at)
  VALUES (gen_random_uuid(), 'https://issuer', 'alice', now(), now())`;
const selectUsers = 'SELECT subject FROM users';

let home: TemporaryFolder;
let folder: string;
let database: EmbeddedDatabase;
const written: string[] = [];

beforeAll(async () => {
  home = await temporaryFolder('embedded');
  folder = join(home.path, 'postgres');
  vi.stubEnv('TMPDIR', home.path);
  const watching = watch(home.path, (event, name) => event === 'rename' && written.push(String(name)));
  database = await startEmbeddedDatabase(folder);
  watching.close();
  vi.unstubAllEnvs();
  await migrate(database.ownerUrl);
});
afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
  await home?.[Symbol.asyncDispose]();
});

test('the first start writes nothing to the temporary folder, and passwords that its user alone may read', async () => {
  expect(new Set(written.filter((name) => name !== basename(home.path)))).toEqual(new Set(['postgres']));
  const modeOf = async (name: string) => (await stat(join(folder, name))).mode & 0o777;
  for (const name of ['password', 'owner.password', 'service.password']) expect(await modeOf(name), name).toBe(0o600);
  expect(await modeOf('data')).toBe(0o700);
});

test('a migration leaves no connection open', async () => {
  await migrate(database.ownerUrl);
  const others = `SELECT pid FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()`;
  await expect.poll(() => query(database.ownerUrl, others)).toEqual([]);
});

test('a second process uses the PostgreSQL that runs, and leaves it running', async () => {
  const second = await startEmbeddedDatabase(folder);
  expect(second).toMatchObject({ url: database.url, ownerUrl: database.ownerUrl });
  await second[Symbol.asyncDispose]();
  expect(await query(database.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a PostgreSQL that was left by a killed process is used by the next one, and ends with the last that uses it', async () => {
  await using other = await temporaryFolder('embedded');
  const pidFile = join(other.path, 'data', 'postmaster.pid');
  const module = new URL('../../../src/database/server/embedded.ts', import.meta.url).href;
  const starting = `const { startEmbeddedDatabase } = await import('${module}');
    await startEmbeddedDatabase('${other.path}');
    console.log('started');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', starting]);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
  const left = await readFile(pidFile, 'utf8');

  const first = await startEmbeddedDatabase(other.path);
  const second = await startEmbeddedDatabase(other.path);
  expect(await readFile(pidFile, 'utf8')).toBe(left);
  await first[Symbol.asyncDispose]();
  expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await second[Symbol.asyncDispose]();
  await expect(readFile(pidFile)).rejects.toThrow('ENOENT');
});

test('a PostgreSQL outlives whoever started it as long as somebody else uses it, also after it ended all connections', async () => {
  await using other = await temporaryFolder('embedded');
  const starter = await startEmbeddedDatabase(other.path);
  const second = await startEmbeddedDatabase(other.path);
  const url = (await findServer(other.path))?.(superuser, await superuserPassword(other.path)) ?? '';
  const uses = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted`;
  const before = await query(url, uses);
  expect(before).toHaveLength(2);
  await query(url, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
  await vi.waitUntil(async () => {
    const now = await query(url, uses);
    return now.length === 2 && now.every((use) => !before.some((one) => isDeepStrictEqual(one, use)));
  }, 30_000);
  await starter[Symbol.asyncDispose]();
  expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await second[Symbol.asyncDispose]();
});

test('a PostgreSQL that the system kills is started again at its address, and ends with the last that uses it', async () => {
  await using other = await temporaryFolder('embedded');
  const pidFile = join(other.path, 'data', 'postmaster.pid');
  const events: string[] = [];
  const log = openLog({ clock: systemClock(), level: 'warn', write: (line) => events.push(JSON.parse(line).event) });
  const all = await Promise.all([1, 2].map(() => startEmbeddedDatabase(other.path, log)));
  const [{ url } = { url: '' }] = all;
  for (const signal of ['SIGKILL', 'SIGQUIT'] as const) {
    const pid = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
    process.kill(pid, signal);
    await vi.waitUntil(() => events.splice(0).includes('database.restarted'), { timeout: 60_000, interval: 50 });
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  }
  const uses = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted`;
  await vi.waitUntil(async () => (await query(url, uses)).length === 2, { timeout: 30_000 });
  for (const one of all) await one[Symbol.asyncDispose]();
  await expect(readFile(pidFile)).rejects.toThrow('ENOENT');
});

test('a PostgreSQL that was killed when nobody uses it any more is not started again', async () => {
  await using other = await temporaryFolder('embedded');
  const pidFile = join(other.path, 'data', 'postmaster.pid');
  const one = await startEmbeddedDatabase(other.path);
  process.kill(Number((await readFile(pidFile, 'utf8')).split('\n')[0]), 'SIGKILL');
  await one[Symbol.asyncDispose]();
  await expect(query(one.url, 'SELECT 1 AS one')).rejects.toThrow('ECONNREFUSED');
  await (await startEmbeddedDatabase(other.path))[Symbol.asyncDispose]();
});

test('a PostgreSQL is waited for that another process starts or stops just then', async () => {
  await using other = await temporaryFolder('embedded');
  await (await startEmbeddedDatabase(other.path))[Symbol.asyncDispose]();
  for (let round = 0; round < 3; round++) {
    const all = await Promise.all([1, 2, 3].map(() => startEmbeddedDatabase(other.path)));
    const [first, ...others] = all;
    await Promise.all(others.map((one) => one[Symbol.asyncDispose]()));
    const [again] = await Promise.all([startEmbeddedDatabase(other.path), first?.[Symbol.asyncDispose]()]);
    expect(await query(again?.url ?? '', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await again?.[Symbol.asyncDispose]();
  }
});

test('of several first starts at once one makes the PostgreSQL, and the others use it', async () => {
  for (let round = 0; round < 3; round++) {
    await using other = await temporaryFolder('embedded');
    const all = await Promise.all([1, 2, 3].map(() => startEmbeddedDatabase(other.path)));
    const [first] = all;
    for (const { url, ownerUrl } of all)
      expect({ url, ownerUrl }).toMatchObject({ url: first?.url, ownerUrl: first?.ownerUrl });
    expect(await query(first?.url ?? '', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await Promise.all(all.map((one) => one[Symbol.asyncDispose]()));
    expect((await readdir(other.path)).filter((name) => /new/.test(name))).toEqual([]);
  }
});

test('says in the words of PostgreSQL why it does not start', async () => {
  await using other = await temporaryFolder('embedded');
  await (await startEmbeddedDatabase(other.path))[Symbol.asyncDispose]();
  await writeFile(join(other.path, 'data', 'PG_VERSION'), '9');
  await expect(startEmbeddedDatabase(other.path)).rejects.toMatchObject({
    code: 'database/unavailable',
    message: expect.stringMatching(
      /did not start in .* \(PostgreSQL says: .*initialized by PostgreSQL version 9.*\)\. Check/,
    ),
  });
});

test('the service changes rows and has a queue, but no power over the tables or the server', async () => {
  const { url, ownerUrl } = database;
  await query(url, insertUser);
  expect(await query(url, selectUsers)).toEqual([{ subject: 'alice' }]);
  expect(await query(ownerUrl, selectUsers)).toEqual([{ subject: 'alice' }]);
  await using queues = await openTestQueues(url);
  await queues.backUps.enqueue([{ runId: 'run', attempt: 1 }]);
  expect(await queues.backUps.counts()).toMatchObject({ waiting: 1 });

  await expect(query(url, 'DROP TABLE users')).rejects.toThrow('must be owner of table');
  await expect(query(url, 'CREATE TABLE mine (id int)')).rejects.toThrow('permission denied for schema public');
  await expect(query(url, "COPY users TO PROGRAM 'cat'")).rejects.toThrow('permission denied');
  for (const address of [url, ownerUrl])
    await expect(query(address, 'SELECT rolpassword FROM pg_authid')).rejects.toThrow('permission denied');
});

test('the pid file of a server that is gone does not keep a new one from starting', async () => {
  const pidFile = join(folder, 'data', 'postmaster.pid');
  const text = await readFile(pidFile, 'utf8');
  await database[Symbol.asyncDispose]();
  await writeFile(pidFile, text.replace(/^\d+/, '4194304')); // More than any process has.
  const { uid, gid } = await stat(join(folder, 'data'));
  await chown(pidFile, uid, gid);
  database = await startEmbeddedDatabase(folder);
  expect(await query(database.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a first start that fails leaves no data half made', async () => {
  await using other = await temporaryFolder('embedded');
  await writeFile(join(other.path, 'password'), '');
  await expect(startEmbeddedDatabase(other.path)).rejects.toMatchObject({ code: 'database/unavailable' });
  expect(await readdir(other.path)).toEqual(['password']);
});

test('a first start that was cut off is made good by the next', async () => {
  await using other = await temporaryFolder('embedded');
  await mkdir(join(other.path, 'data.new'));
  await writeFile(join(other.path, 'data.new', 'PG_VERSION'), '18');
  await using server = await startServer(other.path);
  const url = server.urlOf(superuser, await superuserPassword(other.path));
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a cluster of a version whose service was the superuser keeps its rows, and gets roles', async () => {
  await using other = await temporaryFolder('embedded');
  await usedAsSuperuser(other.path);
  await using upgraded = await startEmbeddedDatabase(other.path);
  const { url, ownerUrl } = upgraded;
  expect(await query(url, selectUsers)).toEqual([{ subject: 'alice' }]);
  expect(await migrate(ownerUrl)).toEqual([]);
  await query(ownerUrl, 'ALTER TABLE users ADD COLUMN later int');
  await query(ownerUrl, "ALTER TYPE grant_state ADD VALUE 'later'");
  await using queues = await openTestQueues(url);
  expect(await queues.backUps.counts()).toMatchObject({ waiting: 1 });
  await expect(query(url, 'DROP TABLE users')).rejects.toThrow('must be owner of table');
  const guessed = url.replace(/:[^:@]+@/, ':guessed@');
  await expect(query(guessed, 'SELECT 1')).rejects.toThrow('password authentication failed');
});

/** Leaves a cluster whose tables and queue are the superuser's, and that asks for no password. */
async function usedAsSuperuser(place: string): Promise<void> {
  await using server = await startServer(place);
  const url = server.urlOf(superuser, await superuserPassword(place));
  await migrate(url);
  await query(url, insertUser);
  await using queues = await openTestQueues(url);
  await queues.backUps.enqueue([{ runId: 'run', attempt: 1 }]);
  await writeFile(join(place, 'data', 'pg_hba.conf'), 'host all all 127.0.0.1/32 trust\n');
}

/** One statement on a connection of its own; the rows it answers. */
async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function openTestQueues(postgresUrl: string) {
  const log = openLog({ clock: systemClock(), level: 'error', write: () => {} });
  return openQueues({ postgresUrl, prefix: 'nightkeep', log });
}
