import { expect, test } from 'vitest';
import { saveAgreedRule } from '../../../src/database/repositories/retention.ts';
import { dayMs } from '../../../src/durations.ts';
import { backUp } from '../../../src/flows/nights/back-up.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { steerNextRun } from '../../../src/flows/nights/steer-run.ts';
import { retain } from '../../../src/flows/retention/retain.ts';
import { agreedRuleSealing } from '../../../src/vault/row-seals.ts';
import { statementsOf } from '../../support/fixtures/sent-statements.ts';
import { openConsentFixture } from '../../support/harness/consent.ts';

/** From the claim to what is done after a run, as a worker does it; without what it asks each second of all runs in hand together, and what only a night of more than a second asks. */
const mostStatements = { run: 8, retention: 4 };

test.each([
  ['of somebody who keeps all snapshots', null, mostStatements.run],
  ['of somebody who agreed to a rule', new Date(0), mostStatements.run + mostStatements.retention],
])('a night without a change %s takes few statements, BEGIN and COMMIT included', async (_, agreedAt, most) => {
  await using fixture = await openConsentFixture();
  const { clock, database } = fixture.resources;
  const { signal } = new AbortController();
  await fixture.consent();
  const night = async () => {
    await openNight(fixture.resources);
    fixture.resources.tokenCache.known.clear();
    return statementsOf(
      async () => {
        const done = await steerNextRun(
          { ...fixture.resources, clock: { ...clock, elapsed: () => 0 } },
          signal,
          (input) => backUp(fixture.resources, input),
        );
        if (done !== undefined) await retain(fixture.resources, { ...done, signal });
      },
      { transactions: true },
    );
  };
  const { id: planId } = await database.plan.findFirstOrThrow();
  const sealing = agreedRuleSealing(fixture.resources.keyring);
  if (agreedAt !== null) await saveAgreedRule(database, { planId, rule: { daily: 7 }, sealing, at: agreedAt });
  for (const which of ['first', 'second', 'third']) {
    fixture.custody.pass(dayMs);
    await database.plan.update({ where: { id: planId }, data: { nextDueAt: clock.now() } });
    const sent = (await night()).filter(({ text }) => !text.includes('FROM unnest('));
    const run = await database.run.findFirstOrThrow({ where: { planId }, orderBy: { queuedAt: 'desc' } });
    expect(run).toMatchObject({ state: 'succeeded' });
    if (which === 'first') continue;
    expect(run.counts).toMatchObject({ entriesUnchanged: 2 });
    expect(sent.map(({ text }) => text.trim().slice(0, 200)).slice(most)).toEqual([]);
    expect(sent.filter(({ text }) => /exchanges/.test(text))).toHaveLength(2);
  }
});
