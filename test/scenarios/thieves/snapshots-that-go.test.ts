import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { saveRetention } from '../../../src/database/repositories/retention.ts';
import { dayMs } from '../../../src/durations.ts';
import { keepCard } from '../../../src/flows/adoption/keep-card.ts';
import { beginConsent, finishConsent } from '../../../src/flows/consent/give-consent.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { chooseErasure } from '../../../src/flows/erasure/erase-choice.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { confirmRows, findBrokenRows } from '../../../src/flows/keys/broken-rows.ts';
import { findReplayedRows } from '../../../src/flows/keys/replayed-rows.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { forgetSnapshots } from '../../../src/flows/retention/forget-snapshots.ts';
import { retain } from '../../../src/flows/retention/retain.ts';
import { openKeyring } from '../../../src/repository-resources.ts';
import { loadCards } from '../../../src/store/repository/cards.ts';
import { purposes } from '../../../src/vault/purposes.ts';
import { agreedRuleSealing } from '../../../src/vault/row-seals.ts';
import { seal } from '../../../src/vault/seal.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';

/** Somebody who may write to PostgreSQL, and has no keyring, wants alice's snapshots gone. */

const isBroken = { code: 'seal/broken' };
let fixture: ConsentFixture;
let alices: Awaited<ReturnType<ConsentFixture['consent']>>;
let bobs: Awaited<ReturnType<ConsentFixture['consent']>>;

beforeEach(async () => {
  fixture = await openConsentFixture();
  alices = await fixture.consent(alice);
  bobs = await fixture.consent(bob);
  for (const { plan } of [alices, bobs]) expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
});
afterEach(() => fixture[Symbol.asyncDispose]());

const sql = (text: string, ...values: unknown[]) => fixture.resources.database.$executeRawUnsafe(text, ...values);
const rowOf = (userId: string) => fixture.resources.database.repository.findUniqueOrThrow({ where: { userId } });
const later = (ms: number) => new Date(fixture.resources.clock.now().getTime() + ms);
const brokenOnes = async () => (await findBrokenRows(fixture.resources)).map(({ kind, userId }) => [kind, userId]);

async function erased(): Promise<number> {
  fixture.resources.failedErasures.clear();
  return eraseRepositories(fixture.resources);
}

async function snapshotsOf(userId: string): Promise<string[]> {
  const { repository } = await openPersonRepository(fixture.resources, userId);
  return (await Array.fromAsync(repository.listSnapshots())).map(({ id }) => id);
}

/** Sets when the snapshots are erased, as a thief does. */
const setEraseAt = (at: Date | null, userId = alices.user.id) =>
  sql('UPDATE repositories SET erase_at = $1::timestamptz WHERE user_id = $2::uuid', at, userId);

const withdrawn = (eraseAt: Date) =>
  withdrawConsent(fixture.resources, { grantId: alices.grant.id, by: `user:${alices.user.id}`, eraseAt });

describe('a request to erase', () => {
  test.each([
    ['now', () => later(0)],
    ['long ago', () => later(-900 * dayMs)],
    ['begun', () => new Date(0)],
  ])('that nobody made (%s) erases nothing, and the doctor names it', async (_, at) => {
    await setEraseAt(at());
    expect(await erased()).toBe(0);
    expect(await brokenOnes()).toEqual([['requests to erase', alices.user.id]]);
    await setEraseAt(null);
    expect(await brokenOnes()).toEqual([]);
    expect(await snapshotsOf(alices.user.id)).toHaveLength(1);
    expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('that nobody made stops nobody else’s erasure', async () => {
    await setEraseAt(new Date(0));
    const by = `user:${bobs.user.id}`;
    await withdrawConsent(fixture.resources, { grantId: bobs.grant.id, by, eraseAt: later(0) });
    expect(await erased()).toBe(1);
  });

  test.each([
    ['at once', () => later(0)],
    ['as if it had begun', () => new Date(0)],
  ])('is carried out no sooner than its person chose, though the row says %s, and then it is', async (_, at) => {
    const chosen = later(90 * dayMs);
    await withdrawn(chosen);
    await setEraseAt(at());
    expect(await erased()).toBe(0);
    await setEraseAt(chosen);
    expect(await snapshotsOf(alices.user.id)).toHaveLength(1);
    expect(await erased()).toBe(0);
    fixture.custody.pass(91 * dayMs);
    expect(await erased()).toBe(1);
  });

  test('of somebody else is none of hers', async () => {
    const by = `user:${bobs.user.id}`;
    await withdrawConsent(fixture.resources, { grantId: bobs.grant.id, by, eraseAt: later(0) });
    const { eraseAt, eraseSeal } = await rowOf(bobs.user.id);
    await fixture.resources.database.repository.update({
      where: { userId: alices.user.id },
      data: { eraseAt, eraseSeal },
    });
    expect(await erased()).toBe(1);
    expect(await rowOf(alices.user.id)).toMatchObject({ eraseAt });
  });

  test('of an earlier withdrawal that is put back after she agreed again is an older row', async () => {
    await withdrawn(later(30 * dayMs));
    const { eraseAt, eraseSeal } = await rowOf(alices.user.id);
    const begun = await beginConsent(fixture.resources, { returnTo: '/', terms: {} });
    const callback = await fixture.custody.visit(begun.url, alice);
    await finishConsent(fixture.resources, { callback, transaction: begun.transaction });
    expect(await rowOf(alices.user.id)).toMatchObject({ eraseAt: null });
    await fixture.resources.database.repository.update({
      where: { userId: alices.user.id },
      data: { eraseAt, eraseSeal },
    });
    fixture.custody.pass(31 * dayMs);
    fixture.resources.marks.known.clear();
    expect(await erased()).toBe(0);
    expect(await brokenOnes()).toEqual([]);
    expect(await Array.fromAsync(findReplayedRows(fixture.resources))).toMatchObject([{ userId: alices.user.id }]);
  });

  test('that was put off stays so, though the row of before is put back', async () => {
    await withdrawn(later(30 * dayMs));
    const { eraseAt, eraseSeal } = await rowOf(alices.user.id);
    await chooseErasure(fixture.resources, { userId: alices.user.id, choice: 365 });
    await fixture.resources.database.repository.update({
      where: { userId: alices.user.id },
      data: { eraseAt, eraseSeal },
    });
    fixture.custody.pass(31 * dayMs);
    expect(await erased()).toBe(0);
  });

  test('may be made by her though somebody wrote another into the row', async () => {
    await setEraseAt(later(900 * dayMs));
    await withdrawn(later(30 * dayMs));
    expect(await brokenOnes()).toEqual([]);
    await setEraseAt(later(365 * dayMs));
    await chooseErasure(fixture.resources, { userId: alices.user.id, choice: 365 });
    expect(await brokenOnes()).toEqual([]);
    await chooseErasure(fixture.resources, { userId: alices.user.id, choice: 'now' });
    expect(await erased()).toBe(1);
  });

  test('that was taken out of the row is named, and confirmed it is no more', async () => {
    await withdrawn(later(30 * dayMs));
    await setEraseAt(null);
    expect(await brokenOnes()).toEqual([['requests to erase', alices.user.id]]);
    await confirmRows(fixture.resources, { userId: alices.user.id, by: 'command:test' });
    expect(await brokenOnes()).toEqual([]);
    fixture.custody.pass(31 * dayMs);
    expect(await erased()).toBe(0);
  });

  test('that nobody made does not get into the card, which would seal it', async () => {
    const { id, location } = await rowOf(alices.user.id);
    const store = fixture.resources.store(location, null);
    await keepCard(fixture.resources, id);
    const before = await loadCards(store);
    expect(before).toHaveLength(1);
    await setEraseAt(later(5 * dayMs));
    await keepCard(fixture.resources, id);
    expect(await loadCards(store)).toEqual(before);
  });

  test('of a version that sealed none is believed once, at the first start of this one', async () => {
    const { database, keyring, clock } = fixture.resources;
    await withdrawn(later(30 * dayMs));
    await sql('UPDATE repositories SET erase_seal = NULL');
    await sql('UPDATE plans SET retention_seal = NULL');
    expect(await brokenOnes()).not.toEqual([]);
    const before = Buffer.concat([keyring.fingerprintKey.export(), Buffer.of(1)]);
    const { sealed } = seal(keyring, purposes.canary(keyring.newest), before);
    await database.canary.updateMany({ data: { sealed } });
    for (let start = 0; start < 2; start++) await openKeyring(database, keyring, clock.now());
    expect(await brokenOnes()).toEqual([]);
    await sql('UPDATE repositories SET erase_seal = NULL');
    await openKeyring(database, keyring, clock.now());
    expect(await brokenOnes()).toEqual([['requests to erase', alices.user.id]]);
  });
});

describe('a rule by which snapshots go', () => {
  const agree = (userId: string, planId: string, last: number) => {
    const { clock, database, keyring } = fixture.resources;
    const about = { userId, planId, rule: { last }, sealing: agreedRuleSealing(keyring) };
    return saveRetention(database, { ...about, at: clock.now(), by: `user:${userId}` });
  };
  const signal = new AbortController().signal;

  beforeEach(async () => {
    for (let night = 0; night < 2; night++)
      expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test.each([
    ['of one snapshot', `retention = '{"last": 1}', retention_agreed_at = now()`],
    [
      'of one snapshot, without a seal',
      `retention = '{"last": 1}', retention_agreed_at = now(), retention_seal = NULL`,
    ],
  ])('that nobody agreed to (%s) lets none go', async (_, change) => {
    await agree(alices.user.id, alices.plan.id, 9);
    await sql(`UPDATE plans SET ${change} WHERE user_id = $1::uuid`, alices.user.id);
    await retain(fixture.resources, { userId: alices.user.id, signal });
    expect(await rowOf(alices.user.id)).toMatchObject({ retentionHold: 'seal/broken' });
    const by = { userId: alices.user.id, by: 'command:test' };
    await expect(forgetSnapshots(fixture.resources, by)).rejects.toMatchObject(isBroken);
    expect(await snapshotsOf(alices.user.id)).toHaveLength(3);
    expect(await brokenOnes()).toEqual([['retention rules', alices.user.id]]);
    expect(await fixture.backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('that she agreed to lets them go, also where somebody wrote another before that', async () => {
    await sql(
      `UPDATE plans SET retention = '{"last": 1}', retention_agreed_at = now() WHERE user_id = $1::uuid`,
      alices.user.id,
    );
    await agree(alices.user.id, alices.plan.id, 2);
    await retain(fixture.resources, { userId: alices.user.id, signal });
    expect(await snapshotsOf(alices.user.id)).toHaveLength(2);
    expect(await brokenOnes()).toEqual([]);
  });

  test('of somebody else is none of hers', async () => {
    await agree(bobs.user.id, bobs.plan.id, 1);
    await sql(
      'UPDATE plans SET retention = b.retention, retention_agreed_at = b.retention_agreed_at, retention_seal = b.retention_seal FROM plans b WHERE plans.user_id = $1::uuid AND b.user_id = $2::uuid',
      alices.user.id,
      bobs.user.id,
    );
    await retain(fixture.resources, { userId: alices.user.id, signal });
    expect(await snapshotsOf(alices.user.id)).toHaveLength(3);
  });
});
