import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forgetLogouts } from '../../../src/database/people/logouts.ts';
import { forgetWebSessions } from '../../../src/database/people/web-sessions.ts';
import * as oldRecords from '../../../src/database/records/old-records.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { type DatabaseFixture, openDatabaseFixture } from '../../support/harness/database.ts';

/** So long ago that all that has an age is past it. */
const at = new Date('2020-05-04T03:00:00Z');
const before = new Date('2020-05-05T12:00:00Z');

let fixture: DatabaseFixture;
beforeAll(async () => {
  fixture = await openDatabaseFixture();
  const { database } = fixture;
  for (const statement of [
    ...fillWithPlans({ plans: 480, nights: 25, at }),
    `UPDATE runs SET snapshot_forgotten_at = finished_at WHERE snapshot_id IS NOT NULL`,
    `UPDATE repositories SET pruned_at = '${before.toISOString()}'`,
    `INSERT INTO restores (id, user_id, snapshot_id, path, state, asked_at) SELECT id, id, '', '', 'succeeded', '${at.toISOString()}' FROM users`,
    `INSERT INTO logout_tokens (issuer, jti, expires_at) SELECT issuer, subject, '${at.toISOString()}' FROM users`,
    'ANALYZE',
  ])
    await database.$executeRawUnsafe(statement);
});
afterAll(() => fixture[Symbol.asyncDispose]());

type Forget = (old: oldRecords.OldRecords) => Promise<number>;

/** What has an age is forgotten, by an index (plans-of-queries.test.ts), so many rows at once. */
const aged: Record<string, Forget> = {
  runs: (old) => oldRecords.forgetRuns(fixture.database, { ...old, latest: 20 }),
  exchanges: (old) => oldRecords.forgetUses(fixture.database, old),
  events: (old) => oldRecords.forgetEvents(fixture.database, old),
  notices: (old) => oldRecords.forgetNotices(fixture.database, old),
  restores: (old) => oldRecords.forgetRestores(fixture.database, old),
  audit: (old) => oldRecords.forgetAudit(fixture.database, old),
  logout_tokens: (old) => forgetLogouts(fixture.database, old),
  web_sessions: ({ before: now, limit }) => forgetWebSessions(fixture.database, { at: now, idleMs: 0, limit }),
};

/** Why the rows of every other table do not grow for ever. */
const ends: Record<string, string> = {
  users: 'as many as people',
  consents: 'as many as people agreed: the record of what they agreed to',
  grants: 'as many as people',
  token_generations: 'the latest of a grant (rotations.ts)',
  circuits: 'as many as providers',
  proven_questions: 'as many as providers',
  provider_keys: 'as many as providers published',
  grant_tallies: 'as many as states and reasons (tallies.ts)',
  run_tallies: '60 days of minutes, however many people (tallies.ts)',
  exchange_tallies: '60 days of minutes, however many people (tallies.ts)',
  kept_figures: 'as many as figures are dear to count (kept-figures.ts)',
  rate_limits: 'until they are full again (rate-limits.ts)',
  plans: 'as many as people',
  run_progress: 'while a run is worked on',
  repositories: 'as many as people',
  person_erasures: 'as many as people who left: their receipts',
  state_exports: 'one',
  canaries: 'as many as keys',
  verifications: 'as many as people',
};

test('the rows of each table have an end', () => {
  const schema = readFileSync('prisma/schema.prisma', 'utf8');
  const models = schema.match(/^model [\s\S]*?^\}/gm) ?? [];
  const tables = models.map((model) => /@@map\("(\w+)"\)/.exec(model)?.[1]);
  expect(tables.toSorted()).toEqual([...Object.keys(aged), ...Object.keys(ends)].toSorted());
});

test.each(Object.entries(aged))(
  'of %s no more go in one statement than it is told, until all that may are gone',
  async (table, forget) => {
    const count = async () => {
      const [row] = await fixture.database.$queryRawUnsafe<{ n: number }[]>(`SELECT count(*)::int AS n FROM ${table}`);
      return row?.n ?? 0;
    };
    const all = await count();
    expect(await forget({ before, limit: 5 })).toBe(5);
    expect(await count()).toBe(all - 5);
    const rest = await forget({ before, limit: 1_000_000 });
    expect(rest).toBeGreaterThan(0);
    expect(await count()).toBe(all - 5 - rest);
    expect(await forget({ before, limit: 1_000_000 })).toBe(0);
  },
);
