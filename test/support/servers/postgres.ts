import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { administer, databaseUrl } from './postgres-server.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/**
 * A database of its own on the server of this test run (TEST_DATABASE_URL, else one that the run started): with all
 * tables and no rows, or with nothing in it where it is to be `empty`. Disposing ends every connection and removes it.
 */
export async function openTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const { url, template } = inject('postgres');
  const name = `nightkeep_test_${randomBytes(6).toString('hex')}`;
  const from = options.empty ? 'template1' : template;
  await administer(url, `CREATE DATABASE ${name} TEMPLATE ${from} STRATEGY file_copy`);
  return {
    url: databaseUrl(url, name),
    [Symbol.asyncDispose]: () => administer(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}
