import { cp, readdir, rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { eachRepositoryPlace } from '../../../src/database/repositories/repository-moves.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { revealRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { sendNotices } from '../../../src/flows/notices/send-notices.ts';
import { giveUpLost } from '../../../src/flows/store/give-up-lost.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { type Guest, signInAs } from '../../support/harness/guest.ts';
import { decoded, startSmtp } from '../../support/servers/smtp.ts';

let opened: AsyncDisposableStack;
let fixture: ConsentFixture;
let guest: Guest;
let planId: string;
let userId: string;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  fixture = opened.use(await openConsentFixture());
  guest = await signInAs(fixture, alice);
  await guest.consent();
  ({ id: planId, userId } = await fixture.resources.database.plan.findFirstOrThrow());
  expect(await backUp()).toMatchObject({ state: 'succeeded' });
});
afterEach(() => opened.disposeAsync());

async function backUp() {
  await fixture.resources.database.run.updateMany({ where: { state: 'queued' }, data: { state: 'cancelled' } });
  return fixture.backUp(planId);
}

const inStore = () => readdir(fixture.storeFolder);
const empty = async () => {
  for (const name of await inStore()) await rm(`${fixture.storeFolder}/${name}`, { recursive: true });
};
const giveUp = async (change: { dryRun?: boolean } = {}) => {
  const [place] = (await Array.fromAsync(eachRepositoryPlace(fixture.resources.database))).flat();
  if (place === undefined) throw new Error('There is no repository.');
  return giveUpLost(fixture.resources, place, { dryRun: false, by: 'command:op@here', ...change });
};

test('a repository that the store holds nothing of is begun anew once the operator gives it up, and its person is told until they have kept the new key', async () => {
  const smtp = opened.use(await startSmtp({}));
  Object.assign(fixture.resources.config, { mail: { url: smtp.url, from: 'Nightkeep <nightkeep@example.org>' } });
  const { database } = fixture.resources;
  const former = await revealRecoveryKey(fixture.resources, userId);
  await empty();
  const refused = await backUp();
  expect(refused).toMatchObject({ state: 'queued', errorCode: 'repository/not-usable' });
  expect(refused.message).toContain('nightkeep store lost');
  expect(await giveUp({ dryRun: true })).toBe('lost');
  expect(await database.repository.count()).toBe(1);
  expect(await giveUp()).toBe('lost');
  expect(await guest.text('/')).toContain('declared your earlier snapshots lost');
  expect(await sendNotices(fixture.resources)).toBe(1);
  expect(decoded(smtp.mails[0]?.text)).toContain(texts.notices.snapshotsLost.subject);
  expect(await database.audit.findMany({ where: { act: 'repository-lost' } })).toMatchObject([{ userId }]);

  expect(await backUp()).toMatchObject({ state: 'succeeded' });
  expect(await inStore()).toHaveLength(1);
  expect((await revealRecoveryKey(fixture.resources, userId)).recoveryKey).not.toBe(former.recoveryKey);
  const after = await guest.text('/');
  expect(after).toContain(texts.home.snapshotsLostKey);
  expect(after).not.toContain('Your next backup starts over');
  const recoveryKeptAt = new Date(fixture.resources.clock.now().getTime() + 1_000);
  await database.repository.updateMany({ data: { recoveryKeptAt } });
  expect(await guest.text('/')).not.toContain(texts.home.snapshotsLostKey);
});

test.each(['queued', 'failed'] as const)(
  'once it is given up, nobody reads any more that it could not be used, by a run that is %s',
  async (state) => {
    const { database } = fixture.resources;
    const { nights } = texts.protection;
    const { happened } = nights.store_trouble;
    await empty();
    const { id } = await backUp();
    const finishedAt = state === 'failed' ? fixture.resources.clock.now() : null;
    await database.run.update({ where: { id }, data: { state, finishedAt } });
    expect(await guest.text('/')).toContain(nights.repository_gone.happened);
    expect(await giveUp()).toBe('lost');
    const page = await guest.text('/');
    for (const words of [happened, nights.repository_gone.happened]) expect(page).not.toContain(words);
    expect(page).toContain((state === 'queued' ? nights.run_waits : nights.no_run).happened);
    // What became of a run that is over stays on record.
    const run = await database.run.findUniqueOrThrow({ where: { id } });
    expect(run.errorCode).toBe(state === 'queued' ? null : 'repository/not-usable');
    // It may still be so of the new one.
    const error = {
      state: 'failed',
      errorCode: 'store/unavailable',
      finishedAt: fixture.resources.clock.now(),
    } as const;
    if (state === 'failed') {
      await ensurePersonRepository(fixture.resources, userId);
      await database.repository.updateMany({ data: { createdAt: new Date(error.finishedAt.getTime() - 1) } });
      await database.run.update({ where: { id }, data: error });
      expect(await guest.text('/')).toContain(happened);
    }
  },
);

test('one with files in the store, or with an old copy, is not given up', async () => {
  expect(await giveUp()).toBe('is there');
  const { database, store } = fixture.resources;
  const other = `${fixture.storeFolder}-other`;
  await cp(fixture.storeFolder, other, { recursive: true });
  opened.defer(() => rm(other, { recursive: true }));
  await empty();
  await database.repository.updateMany({ data: { formerStore: `file://${other}` } });
  const elsewhere: typeof store = (location, at) =>
    at === null ? store(location, at) : openLocalBackend(`${other}/${location}`);
  Object.assign(fixture.resources, { store: elsewhere });
  expect(await giveUp()).toBe('an old copy is there');
  expect(await database.repository.count()).toBe(1);
});

test('nothing is said to be erased while the store is not mounted, and all of it goes once it is', async () => {
  const { clock, database } = fixture.resources;
  const aside = `${fixture.storeFolder}-aside`;
  await cp(fixture.storeFolder, aside, { recursive: true });
  opened.defer(() => rm(aside, { recursive: true }));
  await empty();
  const { grantId } = await database.plan.findFirstOrThrow();
  await withdrawConsent(fixture.resources, { grantId, by: `user:${userId}`, eraseAt: clock.now() });
  fixture.custody.pass(61_000);
  expect(await eraseRepositories(fixture.resources)).toBe(0);
  expect(await database.repository.count()).toBe(1);
  await cp(aside, fixture.storeFolder, { recursive: true });
  fixture.custody.pass(61_000);
  expect(await eraseRepositories(fixture.resources)).toBe(1);
  expect(await inStore()).toEqual([]);
  const [receipt] = await database.event.findMany({ where: { to: 'snapshots erased' } });
  expect(receipt?.reason).toMatch(/: 1 snapshot, /);
});
