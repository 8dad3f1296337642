import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Why the rows of a table do not grow for ever. */
const ends: Record<string, string> = {
  users: 'as many as people',
  consents: 'as many as people agreed: the record of what they agreed to',
  grants: 'as many as people',
  token_generations: 'the latest of a grant (rotations.ts)',
  exchanges: 'USES_KEPT',
  circuits: 'as many as providers',
  proven_questions: 'as many as providers',
  provider_keys: 'as many as providers published',
  logout_tokens: 'until they expire (logouts.ts)',
  web_sessions: 'until they end (web-sessions.ts)',
  grant_tallies: 'as many as states and reasons (tallies.ts)',
  run_tallies: '60 days (tallies.ts)',
  exchange_tallies: '60 days (tallies.ts)',
  kept_figures: 'as many as figures are dear to count (kept-figures.ts)',
  rate_limits: 'until they are full again (rate-limits.ts)',
  plans: 'as many as people',
  runs: 'RUNS_KEPT',
  run_progress: 'while a run is worked on',
  repositories: 'as many as people',
  events: 'EVENTS_KEPT',
  audit: 'AUDIT_KEPT',
  person_erasures: 'as many as people who left: their receipts',
  state_exports: 'one',
  canaries: 'as many as keys',
  notices: 'RUNS_KEPT',
  restores: 'RUNS_KEPT',
  verifications: 'as many as people',
};

test('the rows of each table have an end: a table that grows with every night is forgotten by old-records.ts', () => {
  const schema = readFileSync('prisma/schema.prisma', 'utf8');
  const models = schema.match(/^model [\s\S]*?^\}/gm) ?? [];
  expect(models.map((model) => /@@map\("(\w+)"\)/.exec(model)?.[1]).sort()).toEqual(Object.keys(ends).sort());
});
