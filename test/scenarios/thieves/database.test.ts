import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { saveUser } from '../../../src/database/people/users.ts';
import { findRepository } from '../../../src/database/repositories/repositories.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { confirmRows, findBrokenRows, sampleBrokenRows } from '../../../src/flows/keys/broken-rows.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { sourcesOf } from '../../../src/flows/nights/sources-of.ts';
import { openKeyring } from '../../../src/repository-resources.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { purposes } from '../../../src/vault/purposes.ts';
import { personSealing } from '../../../src/vault/row-seals.ts';
import { seal } from '../../../src/vault/seal.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { file, folder, type HostileWebdav, startHostileWebdav } from '../../support/servers/hostile-webdav.ts';

/** Somebody who may write to PostgreSQL, and has no keyring, wants alice's tokens and snapshots. */

let fixture: ConsentFixture;
let thief: HostileWebdav;
let alices: Awaited<ReturnType<ConsentFixture['consent']>>;
let bobs: Awaited<ReturnType<ConsentFixture['consent']>>;

beforeEach(async () => {
  fixture = await openConsentFixture();
  thief = await startHostileWebdav(folder({ 'a.txt': file('bait') }));
  alices = await fixture.consent(alice);
  bobs = await fixture.consent(bob);
});
afterEach(async () => {
  await thief[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

const sql = (text: string, ...values: unknown[]) => fixture.resources.database.$executeRawUnsafe(text, ...values);
/** What provider and servers were asked so far. */
const asked = () => [fixture.custody.provider.log.requests().length, fixture.files.heard.length, thief.heard.length];

/** Alice's night fails for that reason: nothing was asked of the provider, of her server or of the thief's. Bob's goes on. */
async function stopsAliceAlone(errorCode = 'seal/broken'): Promise<void> {
  const before = asked();
  expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'failed', errorCode, snapshotId: null });
  expect(asked()).toEqual(before);
  expect(thief.heard).toEqual([]);
  expect(await fixture.backUp(bobs.plan.id)).toMatchObject({ state: 'succeeded' });
}

const brokenOnes = async () => (await findBrokenRows(fixture.resources)).map(({ kind, userId }) => [kind, userId]);
const isBroken = { code: 'seal/broken' };

describe('where tokens go', () => {
  const sources = (url: string) => JSON.stringify([{ kind: 'webdav', name: 'files', url }]);

  test('a plan that was pointed at another server, or at another folder of its own, gets no token, and an operator puts it right', async () => {
    for (const url of [thief.url, `${fixture.files.url}other/`]) {
      await sql('UPDATE plans SET sources = $1::jsonb WHERE user_id = $2::uuid', sources(url), alices.user.id);
      await stopsAliceAlone();
      expect(await brokenOnes()).toEqual([['plans', alices.user.id]]);
    }
    await sql(
      'UPDATE plans SET sources = $1::jsonb WHERE user_id = $2::uuid',
      sources(fixture.files.url),
      alices.user.id,
    );
    expect(await brokenOnes()).toEqual([]);
    expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('a plan without a seal, and one with the seal of another, count as changed; what it says can be confirmed', async () => {
    await sql('UPDATE plans SET seal = NULL WHERE user_id = $1::uuid', alices.user.id);
    await stopsAliceAlone();
    await sql(
      'UPDATE plans SET seal = (SELECT seal FROM plans WHERE user_id = $1::uuid) WHERE user_id = $2::uuid',
      bobs.user.id,
      alices.user.id,
    );
    await stopsAliceAlone();
    const { confirmed, left } = await confirmRows(fixture.resources, { userId: alices.user.id, by: 'command:op@here' });
    expect([confirmed.map(({ kind }) => kind), left]).toEqual([['plans'], []]);
    expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('a sample begins anywhere, goes on with the first ones, and says whether there are others', async () => {
    await sql('UPDATE plans SET seal = NULL WHERE user_id = $1::uuid', alices.user.id);
    const sample = (from: string, most: number) => sampleBrokenRows(fixture.resources, { most, from });
    const ids = [alices.plan.id, bobs.plan.id].sort();
    for (const from of [...ids, 'ffffffff-ffff-ffff-ffff-ffffffffffff'])
      expect(await sample(from, 500)).toMatchObject({ broken: [{ id: alices.plan.id }], isAll: true });
    const [before = '', last = ''] = ids;
    const one = await sample(before, 1);
    expect(one.broken.map(({ id }) => id)).toEqual(last === alices.plan.id ? [last] : []);
    expect(one.isAll).toBe(false);
  });

  test('a server that the settings do not name gets none, though the plan was sealed with it', async () => {
    Object.assign(fixture.resources.config, { filesUrl: 'https://new-cloud.example/{preferred_username}/' });
    const run = await fixture.backUp(alices.plan.id);
    expect(run).toMatchObject({ state: 'failed', errorCode: 'source/foreign-origin' });
    expect(run.message).toContain('FILES_ORIGINS');
    expect(fixture.files.heard).toEqual([]);
    Object.assign(fixture.resources.config, { filesOrigins: [new URL(fixture.files.url).origin] });
    expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('claims that were changed name no folder of somebody else', async () => {
    await sql(`UPDATE users SET claims = '{"preferred_username": "bob"}' WHERE id = $1::uuid`, alices.user.id);
    await stopsAliceAlone();
    expect(await brokenOnes()).toEqual([['people', alices.user.id]]);
  });

  test("bob's token reads nothing into alice's repository, whichever rows are swapped", async () => {
    const [a, b] = [alices.grant.id, bobs.grant.id];
    const swap = 'UPDATE plans SET grant_id = CASE grant_id WHEN $1::uuid THEN $2::uuid ELSE $1::uuid END';
    await sql('ALTER TABLE plans DROP CONSTRAINT IF EXISTS plans_grant_id_key');
    await sql('DROP INDEX IF EXISTS plans_grant_id_key');
    await sql(swap, a, b);
    for (const { plan } of [alices, bobs])
      expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'failed', errorCode: 'seal/broken' });
    await sql(swap, a, b);
    await sql(
      `UPDATE token_generations t SET sealed = o.sealed FROM token_generations o
       WHERE t.grant_id = ANY($1::uuid[]) AND o.grant_id = ANY($1::uuid[]) AND t.grant_id <> o.grant_id`,
      [a, b],
    );
    for (const { plan } of [alices, bobs])
      expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'failed', errorCode: 'seal/broken' });
    expect(fixture.files.heard).toEqual([]);
  });
});

test('an older generation of a token that is put back is not sent, and the newest one is used again once it is back', async () => {
  const { database } = fixture.resources;
  const grantId = alices.grant.id;
  const first = await database.tokenGeneration.findFirstOrThrow({ where: { grantId } });
  expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  fixture.resources.tokenCache.known.clear();
  const newest = await database.grant.findUniqueOrThrow({ where: { id: grantId } });
  expect(newest.generation).toBeGreaterThan(first.number);
  await database.tokenGeneration.update({
    where: { grantId_number: { grantId, number: first.number } },
    data: { sealed: first.sealed, state: 'current' },
  });
  await database.grant.update({ where: { id: grantId }, data: { generation: first.number } });
  await stopsAliceAlone('seal/replayed');
  await database.grant.update({ where: { id: grantId }, data: { generation: newest.generation } });
  fixture.custody.pass(20 * 60_000);
  expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
});

describe('whose snapshots they are', () => {
  beforeEach(async () => {
    for (const { plan } of [alices, bobs]) expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  });
  const open = (userId: string) => openPersonRepository(fixture.resources, userId);
  const rowOf = (userId: string) => fixture.resources.database.repository.findUniqueOrThrow({ where: { userId } });

  test("alice's repository that was given to bob opens for nobody", async () => {
    await sql('DELETE FROM repositories WHERE user_id = $1::uuid', bobs.user.id);
    await sql('UPDATE repositories SET user_id = $1::uuid', bobs.user.id);
    await expect(open(bobs.user.id)).rejects.toMatchObject(isBroken);
    expect(await brokenOnes()).toEqual([['repository passwords', bobs.user.id]]);
  });

  test("bob's repository that was pointed at the place of alice's, or out of the store, is not opened, backed up or erased", async () => {
    const { location } = await rowOf(alices.user.id);
    await sql('UPDATE repositories SET location = $1 WHERE user_id = $2::uuid', 'elsewhere', alices.user.id);
    for (const place of [location, '../store', `${location}/../${location}`]) {
      await sql('UPDATE repositories SET location = $1 WHERE user_id = $2::uuid', place, bobs.user.id);
      await expect(open(bobs.user.id)).rejects.toMatchObject(isBroken);
      expect(await fixture.backUp(bobs.plan.id)).toMatchObject({ state: 'failed', errorCode: 'seal/broken' });
      await sql(`UPDATE repositories SET erase_at = '2020-01-01' WHERE user_id = $1::uuid`, bobs.user.id);
      expect(await eraseRepositories(fixture.resources)).toBe(0);
      fixture.resources.failedErasures.clear();
      await sql('UPDATE repositories SET erase_at = NULL WHERE user_id = $1::uuid', bobs.user.id);
    }
    await sql('UPDATE repositories SET location = $1 WHERE user_id = $2::uuid', 'of bob', bobs.user.id);
    await sql('UPDATE repositories SET location = $1 WHERE user_id = $2::uuid', location, alices.user.id);
    const { repository } = await open(alices.user.id);
    expect(await Array.fromAsync(repository.listSnapshots(() => undefined))).toHaveLength(1);
  });

  test('a store that was changed gets no snapshot, and neither does a password that was sealed before places were', async () => {
    await sql(`UPDATE repositories SET store = 'file:///tmp/thief' WHERE user_id = $1::uuid`, alices.user.id);
    expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'failed', errorCode: 'seal/broken' });
    await sql('UPDATE repositories SET store = NULL WHERE user_id = $1::uuid', alices.user.id);
    const { id } = await rowOf(alices.user.id);
    const { sealed } = seal(fixture.resources.keyring, purposes.unboundRepositoryPassword(id), 'a password');
    await sql('UPDATE repositories SET sealed_password = $1 WHERE id = $2::uuid', Buffer.from(sealed), id);
    await expect(open(alices.user.id)).rejects.toMatchObject(isBroken);
  });

  test('bob does not sign in as alice, though his issuer and subject stand in her row', async () => {
    const { subject, issuer } = bobs.user;
    await sql('UPDATE users SET subject = $1 WHERE id = $2::uuid', 'nobody', bobs.user.id);
    await sql('UPDATE users SET subject = $1 WHERE id = $2::uuid', subject, alices.user.id);
    const signIn = saveUser(
      fixture.resources.database,
      { issuer, subject, claims: {}, at: new Date() },
      personSealing(fixture.resources.keyring),
    );
    await expect(signIn).rejects.toMatchObject(isBroken);
    expect((await brokenOnes()).toSorted()).toEqual(
      [
        ['people', alices.user.id],
        ['people', bobs.user.id],
      ].toSorted(),
    );
  });
});

test('rows of a version that sealed none are sealed at the first start, and never again', async () => {
  const { database, config } = fixture.resources;
  expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  const enter = () => openKeyring(database, parseKeyring(config.keyring), new Date());
  const keyring = await enter();
  await sql('UPDATE users SET seal = NULL');
  await sql('UPDATE plans SET seal = NULL');
  await enter();
  expect((await brokenOnes()).length).toBe(4);
  // As that version left it: the canary holds the key of the fingerprints alone.
  const { sealed } = seal(keyring, purposes.canary(keyring.newest), keyring.fingerprintKey.export());
  await sql('UPDATE canaries SET sealed = $1', Buffer.from(sealed));
  const row = await findRepository(database, alices.user.id);
  expect(row).not.toBeNull();
  expect(await brokenOnes()).toEqual([]);
  const unbound = seal(keyring, purposes.unboundRepositoryPassword(row?.id ?? ''), 'of old').sealed;
  await sql('UPDATE repositories SET sealed_password = $1', Buffer.from(unbound));
  await enter();
  expect(await brokenOnes()).toEqual([]);
  const plan = await database.plan.findFirstOrThrow({ where: { userId: alices.user.id }, include: { user: true } });
  expect(sourcesOf(fixture.resources, plan)).toMatchObject([{ url: fixture.files.url }]);
  await sql('UPDATE plans SET seal = NULL');
  await enter();
  expect((await brokenOnes()).map(([kind]) => kind)).toEqual(['plans', 'plans']);
});
