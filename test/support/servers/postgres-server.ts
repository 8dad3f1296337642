import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startServer, superuser, superuserPassword } from '../../../src/database/server/embedded-server.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { cleanUpAfterUs } from './outliving-server.ts';

/** What test files get of the PostgreSQL server of this test run. */
export interface ProvidedPostgres {
  readonly url: string;
  /** A migrated database that nobody may connect to, to be copied. */
  readonly template: string;
  /** How the template describes its schema. */
  readonly schema: string;
  /** How the names of all databases of this run begin. */
  readonly prefix: string;
}

const run = promisify(execFile);
const variable = 'NIGHTKEEP_TEST_POSTGRES';

/** Vitest's global setup: one PostgreSQL server for all projects of the run, with a migrated template database. */
export default async function providePostgres(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const known = process.env[variable];
  if (known !== undefined) {
    project.provide('postgres', JSON.parse(known));
    return undefined;
  }
  const named = process.env.TEST_DATABASE_URL;
  const server = named === undefined ? await startPostgres() : undefined;
  const url = named ?? server?.url ?? '';
  const prefix = `nightkeep_test_${randomBytes(6).toString('hex')}_`;
  const provided = { url, prefix, ...(await makeTemplate(url, `${prefix}template`)) };
  process.env[variable] = JSON.stringify(provided);
  project.provide('postgres', provided);
  return async () => {
    if (server === undefined) await removeDatabases(url, prefix);
    else await server.stop();
  };
}

const hasty = {
  max_connections: '300',
  autovacuum: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  jit: 'off',
};

/** Nothing on it outlives the run, so it never waits for the disk: creating and dropping a database takes milliseconds. */
async function startPostgres(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = await temporaryFolder('postgres');
  cleanUpAfterUs(folder.path);
  const server = await startServer(folder.path, hasty);
  const stop = async () => {
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  const password = await superuserPassword(folder.path);
  const url = server.urlOf(superuser, password);
  // Of a random password one round is enough, and each of the thousands of connections reckons them all.
  await administer(url, `SET scram_iterations = 1; ALTER ROLE ${superuser} PASSWORD '${password}'`);
  return { url, stop };
}

/** The migration runs in a process of its own: the schema engine does not load inside Vite. */
async function makeTemplate(server: string, template: string): Promise<{ template: string; schema: string }> {
  await administer(server, `CREATE DATABASE ${template}`);
  const url = databaseUrl(server, template);
  const migrate = new URL('../../../src/database/server/migrate.ts', import.meta.url).href;
  const script = `const { migrate } = await import('${migrate}'); await migrate(process.argv[1]);`;
  await run(process.execPath, ['--input-type=module', '--eval', script, url]);
  const schema = await connected(url, describeSchema);
  await administer(server, `ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
  return { template, schema };
}

/** The same for two databases only where one is a copy of the other and neither's schema was changed since. */
export async function describeSchema(client: pg.Client): Promise<string> {
  const catalogs = ['namespace', 'class', 'attribute', 'attrdef', 'constraint', 'enum', 'proc', 'trigger', 'policy'];
  const parts = catalogs.map((name) => `(SELECT count(*) || '/' || max(xmin::text::bigint) FROM pg_${name})`);
  const { rows } = await client.query<{ schema: string }>(
    `SELECT concat_ws(' ', ${parts}, (SELECT count(*) FROM _prisma_migrations)) AS schema`,
  );
  return rows[0]?.schema ?? '';
}

async function removeDatabases(server: string, prefix: string): Promise<void> {
  await connected(server, async (client) => {
    const { rows } = await client.query('SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)', [
      prefix,
    ]);
    for (const { name } of rows) await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
}

/** The address of a database on this server. */
export function databaseUrl(server: string, database: string): string {
  return Object.assign(new URL(server), { pathname: `/${database}` }).href;
}

/** Runs statements on the server, outside of any transaction. */
export async function administer(server: string, ...statements: string[]): Promise<void> {
  await connected(server, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

/** What the work on a connection of its own comes to. */
export async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    postgres: ProvidedPostgres;
  }
}
