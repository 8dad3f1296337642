import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { Database } from '../../src/database/client.ts';
import { everyRow } from '../support/fixtures/every-row.ts';
import type { FaultFixture } from '../support/harness/faults.ts';

/**
 * Looks for every token that the provider ever made in all that came out of Nightkeep: its log, its errors as a person
 * or a careless logger would print them, and every row of its database.
 */
export async function expectNoSecret(
  { provider, lines, fixture }: FaultFixture,
  errors: readonly unknown[],
): Promise<void> {
  const secrets = provider.log.secrets();
  expect(secrets.length).toBeGreaterThan(0);
  const said = [...lines, ...errors.map(printed), ...(await rowsOf(fixture.resources.database))].join('\n');
  const found = secrets.filter((secret) => said.includes(secret));
  expect(found).toEqual([]);
}

function printed(error: unknown): string {
  return `${inspect(error, { depth: 20, maxStringLength: null })}\n${JSON.stringify(error)}`;
}

/** Every row of every table, bytes as text and as hexadecimal digits. */
async function rowsOf(database: Database): Promise<string[]> {
  return (await everyRow(database)).flatMap((row) => [
    row,
    row.replace(/\\x([0-9a-f]+)/g, (_, hex) => Buffer.from(hex, 'hex').toString('latin1')),
  ]);
}
