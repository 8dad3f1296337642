import pg from 'pg';
import { expect, test } from 'vitest';
import { listProtectionFactsAfter } from '../../../src/database/notices/protection.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { explain, type PlanStep, statementsOf, stepsOf } from '../../support/fixtures/sent-statements.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';

const at = new Date('2026-05-04T01:00:30Z');
const people = 60;

test('to judge a person, as many rows are read however many nights of theirs are on record', async () => {
  await using fixture = await openDatabaseFixture();
  const { database } = fixture;
  for (const statement of fillWithPlans({ plans: people, nights: 80, at })) await database.$executeRawUnsafe(statement);
  await database.$executeRawUnsafe('ANALYZE');
  const client = new pg.Client({ connectionString: fixture.url });
  await client.connect();
  await client.query('SET enable_seqscan = off');
  const after = '00000000-0000-0000-0000-000000000000';
  const [sent] = await statementsOf(() => listProtectionFactsAfter(database, { after, limit: people }));
  if (sent === undefined) throw new Error('Nothing was asked.');
  const read = ofRuns(await explain(client, sent, 'analyze'));
  await client.end();
  expect(read / people).toBeLessThan(6);
});

/** The rows of the table of runs that were looked at. */
function ofRuns(plan: PlanStep): number {
  return stepsOf(plan)
    .filter((step) => step['Relation Name'] === 'runs')
    .map((step) => ((step['Actual Rows'] ?? 0) + (step['Rows Removed by Filter'] ?? 0)) * (step['Actual Loops'] ?? 1))
    .reduce((sum, rows) => sum + rows, 0);
}
