import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  url: string;
  /** Ends every connection to the database and removes it. */
  drop(): Promise<void>;
}

/**
 * Creates an empty database with a random name, or a copy of `template` (a database nobody is connected to),
 * on the server that this test run uses: TEST_DATABASE_URL, else a PostgreSQL on 127.0.0.1:5432 that trusts us,
 * else an embedded one that the run started for itself.
 */
export async function openTestDatabase(options: { template?: string } = {}): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `nightkeep_test_${randomBytes(6).toString('hex')}`;
  const template = options.template === undefined ? '' : ` TEMPLATE ${pg.escapeIdentifier(options.template)}`;
  await administer(server, `CREATE DATABASE ${name}${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function administer(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
  }
}
