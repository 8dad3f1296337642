import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startServer, superuser, superuserPassword } from '../../../src/database/embedded-server.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';

/** What test files get of the PostgreSQL server of this test run. */
export interface ProvidedPostgres {
  readonly url: string;
  /** A migrated database that nobody may connect to, to be copied. */
  readonly template: string;
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
  const template = await makeTemplate(url);
  const provided: ProvidedPostgres = { url, template };
  process.env[variable] = JSON.stringify(provided);
  project.provide('postgres', provided);
  return async () => {
    if (server === undefined) await administer(url, `DROP DATABASE ${template}`);
    await server?.stop();
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
};

/** Nothing on it outlives the run, so it never waits for the disk: creating and dropping a database takes milliseconds. */
async function startPostgres(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = await temporaryFolder('postgres');
  const server = await startServer(folder.path, hasty);
  const stop = async () => {
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  return { url: server.urlOf(superuser, await superuserPassword(folder.path)), stop };
}

/** Answers its name. The migration runs in a process of its own: the schema engine does not load inside Vite. */
async function makeTemplate(server: string): Promise<string> {
  const template = `nightkeep_template_${randomBytes(6).toString('hex')}`;
  await administer(server, `CREATE DATABASE ${template}`);
  const migrate = new URL('../../../src/database/migrate.ts', import.meta.url).href;
  const script = `const { migrate } = await import('${migrate}'); await migrate(process.argv[1]);`;
  await run(process.execPath, ['--input-type=module', '--eval', script, databaseUrl(server, template)]);
  await administer(server, `ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
  return template;
}

/** The address of a database on this server. */
export function databaseUrl(server: string, database: string): string {
  return Object.assign(new URL(server), { pathname: `/${database}` }).href;
}

/** Runs statements on the server, outside of any transaction. */
export async function administer(server: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    postgres: ProvidedPostgres;
  }
}
