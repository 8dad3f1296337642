import { randomUUID } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inspectEndings } from '../../../src/database/custody/inspect-custody.ts';
import { claimRun } from '../../../src/database/nights/run-leases.ts';
import { changeEraseAt, findErasure } from '../../../src/database/repositories/erasures.ts';
import { saveVerified, saveVerifying } from '../../../src/database/repositories/verifications.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { reissueRecoveryKey, revealRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { pruneRepository } from '../../../src/flows/retention/prune-repository.ts';
import { repairRepository } from '../../../src/flows/store/repair-repository.ts';
import { repairPersonSnapshots } from '../../../src/flows/store/repair-snapshots.ts';
import type { Resources } from '../../../src/resources.ts';
import type { FileType } from '../../../src/store/backend/backend.ts';
import { lockRepository } from '../../../src/store/repository/lock.ts';
import { openLockOwner } from '../../../src/store/repository/locks.ts';
import { erasureSealing } from '../../../src/vault/row-seals.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';

const day = 86_400_000;
let fixture: ConsentFixture;
beforeEach(async () => {
  fixture = await openConsentFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const sealing = () => erasureSealing(fixture.resources.keyring);
const repositories = () => readdir(fixture.storeFolder);
const later = (ms: number) => new Date(fixture.resources.clock.now().getTime() + ms);
const withdraw = (grantId: string, eraseAt: Date) =>
  withdrawConsent(fixture.resources, { grantId, by: 'user:alice', eraseAt });
const snapshotsOf = async (userId: string) => {
  const { repository } = await openPersonRepository(fixture.resources, userId);
  return (await Array.fromAsync(repository.listSnapshots())).length;
};

/** Somebody who was backed up once. */
async function backedUp() {
  const rows = await fixture.consent();
  expect(await fixture.backUp(rows.plan.id)).toMatchObject({ state: 'succeeded' });
  const { recoveryKey } = await revealRecoveryKey(fixture.resources, rows.user.id);
  return { ...rows, recoveryKey };
}

/** The same Nightkeep, whose store breaks off after so many removals. */
function breakingAfter(removals: number): Resources {
  let left = removals;
  const store: Resources['store'] = (location) => {
    const backend = fixture.resources.store(location, null);
    const remove: typeof backend.remove = async (...file) => {
      if (left-- <= 0) throw new Error('killed');
      await backend.remove(...file);
    };
    return { ...backend, remove };
  };
  return { ...fixture.resources, store };
}

/** The same Nightkeep, in whose store something happens before the first file of that type is saved. */
function beforeSaving(type: FileType, act: () => Promise<unknown>): Resources {
  let isDone = false;
  const store: Resources['store'] = (location, at) => {
    const backend = fixture.resources.store(location, at);
    const save: typeof backend.save = async (saved, ...file) => {
      if (saved === type && !isDone) {
        isDone = true;
        await act();
      }
      await backend.save(saved, ...file);
    };
    return { ...backend, save };
  };
  return { ...fixture.resources, store };
}

const by = 'command:test';
const filesLeft = async () =>
  (await readdir(fixture.storeFolder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());

describe('erasing', () => {
  test('at once leaves no file and no folder, forgets the repository, and gives a receipt', async () => {
    const { user, grant, plan } = await backedUp();
    const held = (await readdir(fixture.storeFolder, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    const sizes = await Promise.all(held.map(async (one) => (await stat(join(one.parentPath, one.name))).size));
    await withdraw(grant.id, fixture.resources.clock.now());
    expect(await eraseRepositories(fixture.resources)).toBe(1);
    expect(await repositories()).toEqual([]);
    const { database } = fixture.resources;
    expect(await database.repository.count()).toBe(0);
    expect(await database.run.findMany({ where: { planId: plan.id } })).toMatchObject([
      { state: 'succeeded', snapshotId: null },
    ]);
    expect(await findErasure(database, user.id)).toMatchObject({
      snapshots: 1,
      files: held.length,
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      at: expect.any(Date),
    });
    const events = await database.event.findMany({
      where: { subjectKind: 'user', subjectId: user.id },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ to }) => to)).toEqual([
      'snapshots to be erased',
      'snapshots being erased',
      'snapshots erased',
    ]);
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    const audited = await database.audit.findFirst({ where: { userId: user.id, act: 'snapshots-erased' } });
    expect(audited?.about).toMatch(/: 1 snapshot, \d+ files, \d+ bytes$/);
  });

  test('waits for its date, which may be changed to an earlier or a later one', async () => {
    const { user, grant } = await backedUp();
    await withdraw(grant.id, later(90 * day));
    const change = (eraseAt: Date) =>
      changeEraseAt(fixture.resources.database, {
        userId: user.id,
        eraseAt,
        sealing: sealing(),
        at: fixture.resources.clock.now(),
        by: 'user:alice',
      });
    fixture.custody.pass(89 * day);
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    expect(await change(later(30 * day))).toBe(true);
    fixture.custody.pass(29 * day);
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    expect(await snapshotsOf(user.id)).toBe(1);
    expect(await change(later(0))).toBe(true);
    expect(await eraseRepositories(fixture.resources)).toBe(1);
    expect(await change(later(day))).toBe(true);
    expect(await fixture.resources.database.repository.count()).toBe(0);
  });

  test('is not for somebody whose consent lives', async () => {
    const { user } = await backedUp();
    const { database, clock } = fixture.resources;
    expect(
      await changeEraseAt(database, {
        userId: user.id,
        eraseAt: clock.now(),
        sealing: sealing(),
        at: clock.now(),
        by: 'x',
      }),
    ).toBe(false);
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    expect(await snapshotsOf(user.id)).toBe(1);
  });

  test('interrupted anywhere is continued, and the receipt still counts everything', async () => {
    const { user, grant } = await backedUp();
    await withdraw(grant.id, fixture.resources.clock.now());
    const before = (await readdir(fixture.storeFolder, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    for (let removed = 0; removed < before.length; removed += 2, fixture.custody.pass(61_000))
      expect(await eraseRepositories(breakingAfter(2))).toBe(removed + 2 >= before.length ? 1 : 0);
    expect(await repositories()).toEqual([]);
    expect(await findErasure(fixture.resources.database, user.id)).toMatchObject({
      files: before.length,
      snapshots: 1,
    });
  });

  test('that failed is not tried again for a minute', async () => {
    const { grant } = await backedUp();
    await withdraw(grant.id, fixture.resources.clock.now());
    expect(await eraseRepositories(breakingAfter(1))).toBe(0);
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    fixture.custody.pass(61_000);
    expect(await eraseRepositories(fixture.resources)).toBe(1);
  });

  test('of any number that fail keeps no other waiting', async () => {
    const { grant } = await backedUp();
    const { database } = fixture.resources;
    await withdraw(grant.id, fixture.resources.clock.now());
    const { sealedPassword, keyId } = await database.repository.findFirstOrThrow();
    for (let number = 0; number < 45; number += 1) {
      const [id, userId] = [randomUUID(), randomUUID()];
      await database.user.create({
        data: { id: userId, issuer: 'https://idp.example', subject: `${number}`, createdAt: later(0) },
      });
      const row = { id, userId, location: id, sealedPassword, keyId, createdAt: later(0), eraseAt: new Date(0) };
      await database.repository.create({ data: row });
    }
    expect(await eraseRepositories(fixture.resources)).toBe(1);
    expect(fixture.resources.failedErasures.size).toBe(45);
  });

  test('that has begun, or is due, is overdue for the doctor once an hour has passed', async () => {
    const { grant } = await backedUp();
    const overdue = async () => {
      const { repositories } = await inspectEndings(fixture.resources.database, { before: later(-3_600_000) });
      return repositories;
    };
    await withdraw(grant.id, later(0));
    expect(await overdue()).toBe(0);
    expect(await eraseRepositories(breakingAfter(2))).toBe(0);
    expect(await overdue()).toBe(0);
    fixture.custody.pass(3_700_000);
    expect(await overdue()).toBe(1);
  });

  test('hides what it has begun to erase', async () => {
    const { user, grant } = await backedUp();
    await withdraw(grant.id, fixture.resources.clock.now());
    await eraseRepositories(breakingAfter(1));
    await expect(openPersonRepository(fixture.resources, user.id)).rejects.toMatchObject({
      code: 'repository/not-found',
    });
    await expect(revealRecoveryKey(fixture.resources, user.id)).rejects.toMatchObject({ code: 'repository/not-found' });
  });

  test('waits for a worker that may still write', async () => {
    const { grant, plan } = await backedUp();
    const { database, clock } = fixture.resources;
    const runId = await requestRun(fixture.resources, { planId: plan.id, trigger: 'person' });
    expect(await claimRun(database, { runId, holder: 'that dies', at: clock.now() })).not.toBeNull();
    await withdraw(grant.id, clock.now());
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    fixture.custody.pass(61_000);
    expect(await eraseRepositories(fixture.resources)).toBe(1);
  });

  test('waits for a restore to the source that reads it', async () => {
    const { user, grant } = await backedUp();
    const { clock, database } = fixture.resources;
    const at = clock.now();
    const restore = { id: randomUUID(), userId: user.id, snapshotId: 'ab'.repeat(32), path: 'files' };
    await database.restore.create({ data: { ...restore, state: 'running', askedAt: at, startedAt: at, toldAt: at } });
    await withdraw(grant.id, at);
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    await database.restore.update({ where: { id: restore.id }, data: { state: 'succeeded', finishedAt: at } });
    expect(await eraseRepositories(fixture.resources)).toBe(1);
  });

  test('waits for whoever holds a lock, as long as they keep it fresh, and lets nobody begin meanwhile', async () => {
    const { user, grant } = await backedUp();
    const { clock } = fixture.resources;
    const { repository } = await openPersonRepository(fixture.resources, user.id);
    const lock = await lockRepository(repository, { clock, ...openLockOwner('laptop') });
    await withdraw(grant.id, clock.now());
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    expect(await Array.fromAsync(repository.backend.list('snapshot'))).toHaveLength(1);
    await expect(pruneRepository(fixture.resources, { userId: user.id, by })).rejects.toMatchObject({
      code: 'repository/not-found',
    });
    fixture.custody.pass(61_000);
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    fixture.custody.pass(30 * 60_000);
    expect(await eraseRepositories(fixture.resources)).toBe(1);
    await lock[Symbol.asyncDispose]();
    expect(await filesLeft()).toEqual([]);
  });

  test.each([
    ['a prune', pruneRepository],
    ['a repair', repairRepository],
    [
      'a repair of snapshots',
      (resources: Resources, who: { userId: string; by: string }) =>
        repairPersonSnapshots(resources, { ...who, dryRun: false, forget: true }),
    ],
  ] as const)('leaves nothing to %s that had opened the repository before', async (_, write) => {
    const { user, grant } = await backedUp();
    await withdraw(grant.id, fixture.resources.clock.now());
    const late = beforeSaving('lock', async () => expect(await eraseRepositories(fixture.resources)).toBe(1));
    await expect(write(late, { userId: user.id, by })).rejects.toMatchObject({ code: 'repository/not-found' });
    expect(await filesLeft()).toEqual([]);
  });

  /** Whether a connection waits for what another one holds. */
  async function isSomebodyWaiting(): Promise<boolean> {
    const found = await fixture.resources.database.$queryRaw<unknown[]>`
      SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return found.length > 0;
  }

  test('waits for a recovery key that is being made', async () => {
    const { user, grant } = await backedUp();
    await withdraw(grant.id, fixture.resources.clock.now());
    let erasing: Promise<number> | undefined;
    const late = beforeSaving('key', async () => {
      erasing = eraseRepositories(fixture.resources);
      await Promise.race([erasing, expect.poll(isSomebodyWaiting).toBe(true)]);
    });
    await reissueRecoveryKey(late, user.id).catch(() => {});
    expect(await erasing).toBe(1);
    expect(await filesLeft()).toEqual([]);
  });

  test('is no damage to a verification that is under way, which ends', async () => {
    const { user, grant } = await backedUp();
    const { clock, database } = fixture.resources;
    const [userId, at] = [user.id, clock.now()];
    await withdraw(grant.id, at);
    await expect(eraseRepositories(breakingAfter(1))).resolves.toBe(0);
    expect(await saveVerifying(database, { userId, nextAt: later(60_000), damagedPacks: [] })).toBe(false);
    const damage = { marks: ['data 1'], files: [], snapshots: ['ab'.repeat(32)], recoveryKey: false };
    const found = { damage, state: 'healing' as const, foundAt: at };
    const read = { cursor: 0, packsRead: 1, filesRead: 1, damagedPacks: [] };
    await saveVerified(database, { userId, at, nextAt: later(day), ...read, found });
    expect(await database.verification.findFirst({ where: { userId } })).toMatchObject({ damageState: null });
  });

  test('by two workers at once is one erasure', async () => {
    const { user, grant } = await backedUp();
    await withdraw(grant.id, fixture.resources.clock.now());
    await Promise.all([eraseRepositories(fixture.resources), eraseRepositories(fixture.resources)]);
    expect(await repositories()).toEqual([]);
    const erased = { subjectId: user.id, to: 'snapshots erased' };
    expect(await fixture.resources.database.event.count({ where: erased })).toBe(1);
  });
});

describe('consenting again', () => {
  test('before the date keeps plan and history, and nothing is erased any more', async () => {
    const { user, grant, plan } = await backedUp();
    await withdraw(grant.id, later(30 * day));
    fixture.custody.pass(29 * day);
    const again = await fixture.consent();
    expect(again).toMatchObject({ renewed: true, grant: { id: grant.id }, plan: { id: plan.id, paused: false } });
    fixture.custody.pass(2 * day);
    expect(await eraseRepositories(fixture.resources)).toBe(0);
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
    expect(await snapshotsOf(user.id)).toBe(2);
  });

  test('after the erasure starts a new repository with a new recovery key', async () => {
    const { user, grant, plan, recoveryKey } = await backedUp();
    const [old] = await repositories();
    await withdraw(grant.id, fixture.resources.clock.now());
    await eraseRepositories(fixture.resources);
    await fixture.consent();
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
    expect(await snapshotsOf(user.id)).toBe(1);
    expect(await repositories()).not.toContain(old);
    expect((await revealRecoveryKey(fixture.resources, user.id)).recoveryKey).not.toBe(recoveryKey);
  });

  test('in the middle of the erasure ends it first, and then starts anew', async () => {
    const { user, grant, plan } = await backedUp();
    const [old] = await repositories();
    await withdraw(grant.id, fixture.resources.clock.now());
    await eraseRepositories(breakingAfter(3));
    await fixture.consent();
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
    expect(await snapshotsOf(user.id)).toBe(1);
    expect(await repositories()).not.toContain(old);
    expect(await findErasure(fixture.resources.database, user.id)).toMatchObject({ snapshots: 1 });
  });
});
