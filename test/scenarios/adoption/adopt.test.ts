import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob, carol, type Person } from '../../../demo/people.ts';
import { confirmAlarms } from '../../../src/database/notices/protection.ts';
import { saveUser } from '../../../src/database/people/users.ts';
import { saveRetention } from '../../../src/database/repositories/retention.ts';
import { dayMs } from '../../../src/durations.ts';
import { adoptByRecoveryKey } from '../../../src/flows/adoption/adopt-by-recovery-key.ts';
import { type Adoption, adoptRepositories } from '../../../src/flows/adoption/adopt-repositories.ts';
import { writeCards } from '../../../src/flows/adoption/keep-card.ts';
import { beginConsent, finishConsent } from '../../../src/flows/consent/give-consent.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { proveRecoveryKey, revealRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { findProtection } from '../../../src/flows/nights/find-protection.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { retain } from '../../../src/flows/retention/retain.ts';
import type { Resources } from '../../../src/resources.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { removeCards } from '../../../src/store/repository/cards.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { agreedRuleSealing, personSealing } from '../../../src/vault/row-seals.ts';
import { type LostServer, openLostServer } from '../../support/harness/lost-server.ts';
import { keyLine } from '../../support/harness/settings.ts';

const by = 'command:test';
let server: LostServer;
beforeEach(async () => {
  server = await openLostServer();
});
afterEach(() => server[Symbol.asyncDispose]());

/** Somebody with three nights behind them. */
async function backedUp(person: Person) {
  const rows = await server.before.consent(person);
  for (let night = 0; night < 3; night++)
    expect(await server.before.backUp(rows.plan.id)).toMatchObject({ state: 'succeeded' });
  const { database } = server.before.resources;
  const { id, location } = await database.repository.findUniqueOrThrow({ where: { userId: rows.user.id } });
  return { ...rows, id, location, folder: join(server.before.storeFolder, location) };
}
const adopt = (resources: Resources, { dryRun = false } = {}): Promise<Adoption[]> =>
  Array.fromAsync(adoptRepositories(resources, { at: null, dryRun, by }));

async function consentAt(resources: Resources, person: Person) {
  const begun = await beginConsent(resources, { returnTo: '/', terms: { said: 'every night' } });
  const transaction = JSON.parse(JSON.stringify(begun.transaction));
  const callback = await server.before.custody.visit(begun.url, person);
  return finishConsent(resources, { callback, transaction });
}
const nightAt = async (resources: Resources, planId: string) =>
  server.before.workOn(await requestRun(resources, { planId, trigger: 'person' }), resources);
async function snapshotsOf(resources: Resources, userId: string) {
  const { repository } = await openPersonRepository(resources, userId);
  expect(await checkRepository(repository, { readData: 'all' })).toMatchObject({ findings: [] });
  return Array.fromAsync(repository.listSnapshots());
}

describe('adopting with the keyring', () => {
  test('gives everybody their own back: once they agree, the next night goes on and reads nothing anew', async () => {
    const [one, other] = [await backedUp(alice), await backedUp(bob)];
    const resources = await server.rebuild();
    const words = [
      { owner: { username: 'alice' }, snapshots: 3, location: one.location },
      { owner: { username: 'bob' }, snapshots: 3, location: other.location },
    ].toSorted((a, b) => a.location.localeCompare(b.location));
    expect(await adopt(resources, { dryRun: true })).toMatchObject(
      words.map((said) => ({ ...said, state: 'adoptable' })),
    );
    expect(await resources.database.repository.count()).toBe(0);
    expect(await adopt(resources)).toMatchObject(words.map((said) => ({ ...said, state: 'adopted' })));
    expect(await adopt(resources)).toMatchObject(words.map(({ location }) => ({ location, state: 'known' })));
    for (const [person, rows] of [
      [alice, one],
      [bob, other],
    ] as const) {
      const { plan, user } = await consentAt(resources, person);
      expect(user.id).toBe(rows.user.id);
      const last = (await snapshotsOf(resources, user.id)).at(-1);
      const run = await nightAt(resources, plan.id);
      expect(run).toMatchObject({ state: 'succeeded', counts: { entriesRead: 0, entriesUnchanged: 2, filesNew: 0 } });
      const snapshots = await snapshotsOf(resources, user.id);
      expect(snapshots).toHaveLength(4);
      expect(snapshots.at(-1)).toMatchObject({ id: run.snapshotId, snapshot: { parent: last?.id } });
    }
    const acts = await resources.database.audit.findMany({ where: { act: 'repository-adopted' } });
    expect(acts.map(({ by: who, userId }) => [who, userId])).toEqual(
      expect.arrayContaining([
        [by, one.user.id],
        [by, other.user.id],
      ]),
    );
  });

  test('brings hours, retention and what is known of the recovery key along, and goes on by them', async () => {
    const { user, plan } = await backedUp(alice);
    const { resources: lost } = server.before;
    await lost.database.plan.update({
      where: { id: plan.id },
      data: { zone: 'Asia/Tokyo', windowStart: '02:10', windowEnd: '03:20' },
    });
    const at = new Date('2026-05-05T00:00:00Z');
    await saveRetention(lost.database, {
      userId: user.id,
      planId: plan.id,
      rule: { last: 2, daily: 9 },
      sealing: agreedRuleSealing(lost.keyring),
      at,
      by,
    });
    const { recoveryKey } = await revealRecoveryKey(lost, user.id);
    const groups = recoveryKey.split('-');
    await proveRecoveryKey(lost, { userId: user.id, groups: [groups[2] ?? '', groups[4] ?? ''] });
    await writeCards(lost);
    const resources = await server.rebuild();
    await adopt(resources);
    // Whoever adopts anew what nobody agreed to yet finds the same.
    await writeCards(resources);
    const again = await server.rebuild();
    await adopt(again);
    for (const here of [resources, again]) {
      const rows = await consentAt(here, alice);
      expect(rows.plan).toMatchObject({ zone: 'Asia/Tokyo', windowStart: '02:10', windowEnd: '03:20' });
      expect(rows.plan.retention).toEqual({ last: 2, daily: 9 });
      const row = await here.database.repository.findFirstOrThrow();
      expect(row).toMatchObject({ formerPlan: null, recoveryKeptAt: expect.any(Date), adoptedAt: expect.any(Date) });
    }
  });

  test('still lets nothing go after a great loss that nobody has looked at, and lets it go once somebody has', async () => {
    const { user, plan } = await backedUp(alice);
    const { database } = server.before.resources;
    const [first, second] = await database.run.findMany({ where: { planId: plan.id }, orderBy: { finishedAt: 'asc' } });
    const data = { alarm: 'loss', heldSnapshotId: first?.snapshotId ?? null };
    await database.run.update({ where: { id: second?.id ?? '' }, data });
    await writeCards(server.before.resources);
    const between = await server.rebuild();
    await adopt(between);
    // Whoever adopts anew what nobody agreed to yet finds the same.
    await writeCards(between);
    const resources = await server.rebuild();
    await adopt(resources);
    const { plan: again } = await consentAt(resources, alice);
    const protection = () => findProtection(resources, user.id);
    expect(await protection()).toMatchObject({ verdict: 'partly', reason: 'great_loss' });
    const at = resources.clock.now();
    await saveRetention(resources.database, {
      userId: user.id,
      planId: again.id,
      rule: { last: 1 },
      sealing: agreedRuleSealing(resources.keyring),
      at,
      by,
    });
    const last = (await snapshotsOf(resources, user.id)).at(-1);
    expect(await nightAt(resources, again.id)).toMatchObject({ state: 'succeeded', counts: { entriesRead: 0 } });
    const { signal } = new AbortController();
    await retain(resources, { userId: user.id, signal });
    const stayed = await snapshotsOf(resources, user.id);
    expect(stayed).toHaveLength(4);
    expect(stayed.at(-1)?.snapshot.parent).toBe(last?.id);
    expect(await resources.database.repository.findFirst()).toMatchObject({ retentionHold: 'alarm' });
    expect(await confirmAlarms(resources.database, { userId: user.id, until: at, at, by })).toBe(1);
    await retain(resources, { userId: user.id, signal });
    expect(await snapshotsOf(resources, user.id)).toHaveLength(1);
    expect(await protection()).toMatchObject({ verdict: 'protected' });
  });

  test('makes a new recovery key with the next night where nobody had kept the old one', async () => {
    const { user } = await backedUp(alice);
    const { recoveryKey: lostKey } = await revealRecoveryKey(server.before.resources, user.id);
    const resources = await server.rebuild();
    await adopt(resources);
    const { plan } = await consentAt(resources, alice);
    await nightAt(resources, plan.id);
    const { recoveryKey } = await revealRecoveryKey(resources, user.id);
    expect(recoveryKey).not.toBe(lostKey);
    const { repository } = await openPersonRepository(resources, user.id);
    expect(await Array.fromAsync(repository.listKeys())).toHaveLength(2);
  });

  test.each([
    ['another subject', { ...alice, subject: 'another' }, false],
    ['the same subject at another issuer', alice, true],
    ['somebody of the same user name', { ...bob, username: 'alice' }, false],
    ['an operator', carol, false],
  ])('never gives it to %s', async (_, person, elsewhere) => {
    const { user } = await backedUp(alice);
    const resources = await server.rebuild();
    const at = new Date();
    const issuer = elsewhere ? 'https://other.example' : user.issuer;
    const signIn = () =>
      saveUser(
        resources.database,
        { issuer, subject: person.subject, username: person.username, claims: {}, at },
        personSealing(resources.keyring),
      );
    const before = await signIn();
    expect(await adopt(resources)).toMatchObject([{ state: 'adopted' }]);
    const after = await signIn();
    expect(after.id).toBe(before.id);
    expect(after.id).not.toBe(user.id);
    await expect(openPersonRepository(resources, after.id)).rejects.toMatchObject({ code: 'repository/not-found' });
    expect(await snapshotsOf(resources, user.id)).toHaveLength(3);
  });

  test('gives it to whoever signed in first under another id, and leaves the repository alone that they have', async () => {
    const rows = await backedUp(alice);
    const resources = await server.rebuild();
    const { plan, user } = await consentAt(resources, alice);
    expect(user.id).not.toBe(rows.user.id);
    await nightAt(resources, plan.id);
    const refused = { state: 'refused', problem: expect.stringContaining('another repository') };
    const found = (state: object) => expect.arrayContaining([expect.objectContaining(state)]);
    expect(await adopt(resources, { dryRun: true })).toEqual(found(refused));
    expect(await adopt(resources)).toEqual(found(refused));
    await resources.database.repository.deleteMany();
    expect((await adopt(resources)).filter(({ state }) => state === 'adopted')).toHaveLength(1);
  });

  test('erases nothing within a month, whatever an old card says, and then what was wished', async () => {
    const { grant } = await backedUp(alice);
    const { resources: lost } = server.before;
    const eraseAt = new Date(lost.clock.now().getTime() + dayMs);
    await withdrawConsent(lost, { grantId: grant.id, by: 'user:alice', eraseAt });
    await writeCards(lost);
    server.before.custody.pass(2 * dayMs);
    const resources = await server.rebuild();
    await adopt(resources);
    expect(await eraseRepositories(resources)).toBe(0);
    server.before.custody.pass(29 * dayMs);
    expect(await eraseRepositories(resources)).toBe(0);
    server.before.custody.pass(2 * dayMs);
    expect(await eraseRepositories(resources)).toBe(1);
  });

  test('names what cannot be read with the cure, and adopts the others', async () => {
    const [one, other] = [await backedUp(alice), await backedUp(bob)];
    const { storeFolder } = server.before;
    const copyOf = (name: string) => join(storeFolder, name);
    await cp(one.folder, copyOf('copied-elsewhere'), { recursive: true });
    await cp(one.folder, copyOf('without-card'), { recursive: true });
    await removeCards(openLocalBackend(copyOf('without-card')));
    // The files of one below the card of the other.
    await rename(join(one.folder, 'cards'), join(storeFolder, 'cards'));
    await cp(other.folder, one.folder, { recursive: true, force: true });
    await rename(join(storeFolder, 'cards'), join(storeFolder, 'not-a-repository'));
    const found = await adopt(await server.rebuild());
    const said = Object.fromEntries(found.map(({ location, state, problem }) => [location, [state, problem ?? '']]));
    expect(Object.keys(said)).toHaveLength(4);
    expect(said[other.location]?.[0]).toBe('adopted');
    expect(said['copied-elsewhere']).toEqual(['refused', expect.stringMatching(/altered.*--recovery-key-file/)]);
    expect(said['without-card']).toEqual(['refused', expect.stringMatching(/No card.*--recovery-key-file/)]);
    expect(said[one.location]).toEqual(['refused', expect.stringContaining('belongs to another folder')]);
  });

  test('says which key is missing, and that another issuer has to be followed', async () => {
    await backedUp(alice);
    const foreign = await adopt(await server.rebuild(keyLine('other')));
    expect(foreign).toMatchObject([{ state: 'refused', problem: expect.stringMatching(/key "one".*keyring/) }]);
    const another = await adopt(await server.rebuild(keyLine('one')));
    expect(another).toMatchObject([
      {
        state: 'refused',
        problem: expect.stringMatching(/KEYRING is not the one.*has the same name.*--recovery-key-file/),
      },
    ]);
    const resources = await server.rebuild();
    const { config } = resources;
    const provider = { ...config.provider, issuer: new URL('https://new.example/') };
    expect(await adopt({ ...resources, config: { ...config, provider } })).toMatchObject([
      { state: 'adopted', problem: expect.stringContaining('nightkeep provider move') },
    ]);
  });
});

describe('adopting with a recovery key, the keyring being lost', () => {
  const byKey = async (resources: Resources, recoveryKey: string, folder?: string, person = alice) => {
    const { grant: _, ...signedIn } = { grant: null, ...(await signIn(resources, person)) };
    const { id: userId, issuer, subject, username } = signedIn;
    return adoptByRecoveryKey(resources, {
      owner: { userId, issuer, subject, username },
      recoveryKey,
      folder,
      at: null,
      by,
    });
  };
  const signIn = async (resources: Resources, { subject, username }: Person) => {
    const { issuer } = await server.before.resources.database.user.findFirstOrThrow();
    const signedIn = { issuer, subject, username, claims: {}, at: new Date() };
    return saveUser(resources.database, signedIn, personSealing(resources.keyring));
  };

  test('gives one person theirs back, and the next night goes on', async () => {
    const [one, other] = [await backedUp(alice), await backedUp(bob)];
    const { recoveryKey } = await revealRecoveryKey(server.before.resources, one.user.id);
    const resources = await server.rebuild(keyLine('new'));
    expect(await byKey(resources, recoveryKey)).toMatchObject({ location: one.location, snapshots: 3 });
    const { plan, user } = await consentAt(resources, alice);
    expect(await nightAt(resources, plan.id)).toMatchObject({ state: 'succeeded', counts: { entriesRead: 0 } });
    expect(await snapshotsOf(resources, user.id)).toHaveLength(4);
    const { repository } = await openPersonRepository(resources, user.id);
    expect(await Array.fromAsync(repository.listKeys())).toHaveLength(2);
    // By now its card opens with the new keyring.
    const again = await server.rebuild(keyLine('new'));
    expect((await adopt({ ...again, keyring: resources.keyring })).map(({ state }) => state).toSorted()).toEqual([
      'adopted',
      'refused',
    ]);
    await expect(byKey(resources, recoveryKey, other.location, bob)).rejects.toMatchObject({
      code: 'repository/wrong-password',
    });
  });

  test('is hidden by no damage to another repository, and such damage is said where none opens', async () => {
    const [one, other] = [await backedUp(alice), await backedUp(bob)];
    const { recoveryKey } = await revealRecoveryKey(server.before.resources, one.user.id);
    const resources = await server.rebuild(keyLine('new'));
    const keys = resources.store(other.location, null);
    for (const { name } of await Array.fromAsync(keys.list('key'))) {
      const bytes = await keys.load('key', name);
      await keys.remove('key', name);
      await keys.save('key', name, bytes.subarray(1));
    }
    const wrong = 'abcde-fghjk-mnpqr-stuvw-xyz23-45678';

    await expect(byKey(resources, wrong)).rejects.toMatchObject({ code: 'repository/damaged' });
    expect(await byKey(resources, recoveryKey)).toMatchObject({ location: one.location, snapshots: 3 });
  });

  test('is refused to anybody else where a card says whose it is, and for a folder that is somebody’s', async () => {
    const one = await backedUp(alice);
    const { recoveryKey } = await revealRecoveryKey(server.before.resources, one.user.id);
    const resources = await server.rebuild();
    await expect(byKey(resources, recoveryKey, one.location, bob)).rejects.toMatchObject({ code: 'request/forbidden' });
    await expect(byKey(resources, recoveryKey, undefined, bob)).rejects.toMatchObject({ code: 'repository/not-found' });
    await adopt(resources);
    await expect(byKey(resources, recoveryKey, one.location, bob)).rejects.toMatchObject({ code: 'request/invalid' });
    expect(await snapshotsOf(resources, one.user.id)).toHaveLength(3);
  });
});
