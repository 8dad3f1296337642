import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { silenceMs } from '../../src/database/custody/leases.ts';
import { hourMs, minuteMs } from '../../src/durations.ts';
import { heal } from '../../src/flows/heal.ts';
import { openSpool } from '../../src/vault/spool.ts';
import { texts } from '../../src/web/texts/en.ts';
import {
  consent,
  exchangesOf,
  grantOf,
  openServiceFixture,
  type ServiceFixture,
  sweepUntil,
} from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

/** The process that asked is killed when the provider has answered: its token is used up, and nobody has the new one. */
export function describeLostAnswers(provider: Provider): void {
  test('killed between answer and save, reuse 1: the same token is sent once more, and the consent lives', async () => {
    await using fixture = await openServiceFixture(provider, { rules: { rotation: { reuse: 1 } }, wired: true });
    await consent(fixture, alice);
    await killBeforeTheAnswerArrives(fixture);
    await healLater(fixture);
    expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
    const verdicts = (await exchangesOf(fixture, alice)).map(({ generation, verdict }) => [generation, verdict]);
    expect(verdicts.slice(-2)).toEqual([
      [2, 'ambiguous'],
      [2, 'ok'],
    ]);
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', reason: null });
    expect(await fixture.realm.offlineSessions(alice)).toBe(1);
  });

  describeAnswersOfOneUse(provider);
}

/** The same where each token serves once and never again. */
export function describeAnswersOfOneUse(provider: Provider): void {
  test('killed between answer and save, reuse 0: what is lost was lost by Nightkeep, and nobody says that it was withdrawn', async () => {
    await using fixture = await openServiceFixture(provider, { rules: { rotation: { reuse: 0 } }, wired: true });
    const visitor = await consent(fixture, alice);
    await killBeforeTheAnswerArrives(fixture);
    await healLater(fixture);
    expect(await fixture.night()).toMatchObject([{ state: 'queued', errorCode: 'grant/not-usable' }]);
    await sweepUntil(fixture, 2 * hourMs, async () => (await grantOf(fixture, alice)).state === 'needs_consent');
    expect(await grantOf(fixture, alice)).toMatchObject({ reason: 'lost_rotation' });
    expect(await fixture.command('grants')).toContain('(lost_rotation)');
    await visitor.open(new URL('login', fixture.url).href);
    await visitor.press(texts.grant.again);
    await visitor.press(texts.consent.agree);
    await fixture.atRest();
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', reason: null });
  });

  test('killed after the answer came and before the database has it, reuse 0: the disk has it, nothing is lost', async () => {
    await using fixture = await openServiceFixture(provider, { rules: { rotation: { reuse: 0 } }, wired: true });
    await consent(fixture, alice);
    await killBeforeTheDatabaseHasIt(fixture);
    await healLater(fixture);
    expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', reason: null });
    expect(await fixture.realm.offlineSessions(alice)).toBe(1);
  });
}

async function killBeforeTheAnswerArrives({ realm, process }: ServiceFixture): Promise<void> {
  const answer = realm.holdNextAnswer();
  const asking = process('grants', '--ask-again', '--user', alice.username);
  await answer.given;
  await kill(asking);
  answer.release();
}

/** Holds the grant's row, so that the save waits, and kills the process once its spool holds the answer. */
async function killBeforeTheDatabaseHasIt(fixture: ServiceFixture): Promise<void> {
  const answer = fixture.realm.holdNextAnswer();
  const asking = fixture.process('grants', '--ask-again', '--user', alice.username);
  await answer.given;
  const client = new pg.Client({ connectionString: fixture.processes[0]?.config.databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM grants FOR UPDATE');
  answer.release();
  const spool = openSpool(join(fixture.folder, 'spool'));
  await expect.poll(() => spool.list()).toHaveLength(1);
  await kill(asking);
  await client.end();
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** What the worker does every ten minutes, once the answer can no longer come. */
async function healLater({ processes, pass }: ServiceFixture): Promise<void> {
  pass(silenceMs + minuteMs);
  for (const each of processes) await heal(each);
}
