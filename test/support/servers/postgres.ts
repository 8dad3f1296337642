import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { inject } from 'vitest';
import { administer, connected, databaseUrl, describeSchema } from './postgres-server.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/**
 * A database of its own on the server of this test run (TEST_DATABASE_URL, else one that the run started): with all
 * tables and no rows, or with nothing in it where it is to be `empty`. Disposing ends every connection to it.
 */
export async function openTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const { url, template } = inject('postgres');
  const name = options.empty ? await createDatabase('template1') : (emptied.pop() ?? (await createDatabase(template)));
  const remove = () => administer(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  return {
    url: databaseUrl(url, name),
    [Symbol.asyncDispose]: async () => {
      const isAsNew = !options.empty && (await connected(databaseUrl(url, name), makeAsNew).catch(() => false));
      if (!isAsNew) return remove();
      emptied.push(name);
    },
  };
}

/** Copying the template takes longer than deleting some rows, so a database is used again by this worker's next test. */
const emptied: string[] = [];

async function createDatabase(from: string): Promise<string> {
  const { url, prefix } = inject('postgres');
  const name = prefix + randomBytes(6).toString('hex');
  await administer(url, `CREATE DATABASE ${name} TEMPLATE ${from} STRATEGY file_copy`);
  return name;
}

/**
 * Ends all other connections, but for those called `kept` that are in the middle of nothing, deletes every row, and tells whether the database is as
 * the template then.
 */
export async function makeAsNew(client: pg.Client): Promise<boolean> {
  const { schema } = inject('postgres');
  await client.query(endOtherConnections, [kept]);
  if ((await describeSchema(client)) !== schema) return false;
  const [row] = (await client.query<{ bytes: number; statement: string }>(howToEmpty)).rows;
  if (row === undefined || row.bytes > mostBytes) return false;
  // The audit cannot be emptied otherwise.
  await client.query('SET session_replication_role = replica');
  await client.query(row.statement);
  return true;
}

/** What connections call themselves that are used again with their database. */
export const kept = 'nightkeep-test-kept';

const endOtherConnections = `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND NOT (application_name = $1 AND state = 'idle' AND pid NOT IN (SELECT pid FROM pg_locks WHERE pid IS NOT NULL))`;

/** Deleted rows stay in the files, where they slow down who reads them. */
const mostBytes = 1_000_000;

/** One statement that deletes the rows of every table, whatever refers to what, and starts the sequences again. */
const howToEmpty = `
  SELECT sum(pg_relation_size(oid))::float AS bytes,
    'WITH ' || string_agg(format('d%s AS (DELETE FROM %s)', oid, oid::regclass), ', ')
      || ' SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence' AS statement
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '_prisma_migrations'`;
