import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { changeEraseAt } from '../../../src/database/repositories/erasures.ts';
import { writeCards } from '../../../src/flows/adoption/keep-card.ts';
import { takeOverCards } from '../../../src/flows/adoption/take-over-cards.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { proveRecoveryKey, reissueRecoveryKey, revealRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { exportIntoStore } from '../../../src/flows/state/export-into-store.ts';
import { importFromStore } from '../../../src/flows/state/stored-exports.ts';
import type { Resources } from '../../../src/resources.ts';
import { erasureSealing } from '../../../src/vault/row-seals.ts';
import { type LostServer, openLostServer } from '../../support/harness/lost-server.ts';

const by = 'command:test';
const [hour, day] = [3_600_000, 86_400_000];
let server: LostServer;
beforeEach(async () => {
  server = await openLostServer();
});
afterEach(() => server[Symbol.asyncDispose]());

async function backedUp(person = alice) {
  const rows = await server.before.consent(person);
  expect(await server.before.backUp(rows.plan.id)).toMatchObject({ state: 'succeeded' });
  return rows;
}

const withdraw = ({ grant }: Awaited<ReturnType<typeof backedUp>>, days: number) => {
  const { resources } = server.before;
  const eraseAt = new Date(resources.clock.now().getTime() + days * day);
  return withdrawConsent(resources, { grantId: grant.id, by: 'user', eraseAt });
};

/** What happens between the export and the loss, until the cards say so; then the export is brought back. */
async function lose(meanwhile: () => Promise<unknown>) {
  const { custody, resources } = server.before;
  await writeCards(resources);
  await exportIntoStore(resources, { by });
  custody.pass(hour);
  await meanwhile();
  await writeCards(resources);
  const rebuilt = await server.rebuild();
  const { createdAt } = await importFromStore(rebuilt, { name: 'latest', by });
  const takeOver = () => takeOverCards(rebuilt, { since: new Date(createdAt), by });
  return { rebuilt, takeOver };
}

const repositoryOf = ({ database }: Resources, userId: string) =>
  database.repository.findUniqueOrThrow({ where: { userId } });

describe('what a card says that is newer than the export', () => {
  test('is that the snapshots of somebody who withdrew since are erased, a month from now at the earliest', async () => {
    const rows = await backedUp();
    const { rebuilt, takeOver } = await lose(() => withdraw(rows, 90));
    expect(await repositoryOf(rebuilt, rows.user.id)).toMatchObject({ eraseAt: null });
    expect(await takeOver()).toEqual({ newer: 1, unread: 0, elsewhere: 0 });
    const { eraseAt } = await repositoryOf(server.before.resources, rows.user.id);
    expect(eraseAt).not.toBeNull();
    expect(await repositoryOf(rebuilt, rows.user.id)).toMatchObject({ eraseAt });
    expect(await rebuilt.database.audit.findMany({ where: { act: 'erasure-chosen' } })).toMatchObject([{ by }]);
    await writeCards(rebuilt);
    expect(await repositoryOf(rebuilt, rows.user.id)).toMatchObject({ eraseAt });
    expect(await takeOver()).toEqual({ newer: 0, unread: 0, elsewhere: 0 });
  });

  test('is that they stay, or stay longer, where that was chosen since', async () => {
    const [one, other] = [await backedUp(alice), await backedUp(bob)];
    await withdraw(one, 30);
    await withdraw(other, 30);
    const { rebuilt, takeOver } = await lose(async () => {
      await server.before.consent(alice);
      const at = server.before.resources.clock.now();
      const eraseAt = new Date(at.getTime() + 365 * day);
      const sealing = erasureSealing(server.before.resources.keyring);
      await changeEraseAt(server.before.resources.database, { userId: other.user.id, eraseAt, sealing, at, by });
    });
    expect(await takeOver()).toEqual({ newer: 2, unread: 0, elsewhere: 0 });
    expect(await repositoryOf(rebuilt, one.user.id)).toMatchObject({ eraseAt: null });
    const { eraseAt } = await repositoryOf(server.before.resources, other.user.id);
    expect(await repositoryOf(rebuilt, other.user.id)).toMatchObject({ eraseAt });
  });

  test('is which recovery key opens the repository, and whether it was kept', async () => {
    const [one, other] = [await backedUp(alice), await backedUp(bob)];
    const { resources } = server.before;
    const { rebuilt, takeOver } = await lose(async () => {
      await reissueRecoveryKey(resources, one.user.id);
      const { recoveryKey } = await revealRecoveryKey(resources, other.user.id);
      const [, , third = '', , fifth = ''] = recoveryKey.split('-');
      expect(await proveRecoveryKey(resources, { userId: other.user.id, groups: [third, fifth] })).toBe(true);
    });
    expect(await takeOver()).toEqual({ newer: 2, unread: 0, elsewhere: 0 });
    const { recoveryKeyFile, recoveryKeptAt } = await repositoryOf(resources, other.user.id);
    expect(await repositoryOf(rebuilt, other.user.id)).toMatchObject({
      recoveryKeyFile,
      recoveryKeptAt,
      sealedRecoveryKey: null,
    });
    expect(await repositoryOf(rebuilt, one.user.id)).toMatchObject({
      recoveryKeyFile: (await repositoryOf(resources, one.user.id)).recoveryKeyFile,
      sealedRecoveryKey: null,
    });
    // The key that was never seen is made anew by the next night.
    await ensurePersonRepository(rebuilt, one.user.id);
    const { recoveryKey } = await revealRecoveryKey(rebuilt, one.user.id);
    expect(recoveryKey).toMatch(/^\w{5}(-\w{5}){5}$/);
  });

  test('is a great loss that nobody has looked at', async () => {
    const rows = await backedUp();
    const { database } = server.before.resources;
    const { rebuilt, takeOver } = await lose(async () => {
      expect(await server.before.backUp(rows.plan.id)).toMatchObject({ state: 'succeeded' });
      const { id } = await database.run.findFirstOrThrow({ orderBy: { finishedAt: 'desc' } });
      await database.run.update({ where: { id }, data: { alarm: 'loss' } });
      await database.repository.updateMany({ data: { cardDueAt: new Date(0), cardDigest: null } });
    });
    expect(await takeOver()).toEqual({ newer: 1, unread: 0, elsewhere: 0 });
    const alarms = await rebuilt.database.run.findMany({ where: { alarm: { not: null } } });
    expect(alarms).toMatchObject([{ planId: rows.plan.id, alarm: 'loss', alarmSeenAt: null }]);
    expect(await takeOver()).toEqual({ newer: 0, unread: 0, elsewhere: 0 });
  });
});

test('a card that is as old as the export, or cannot be read, changes nothing', async () => {
  const rows = await backedUp();
  await withdraw(rows, 90);
  await writeCards(server.before.resources);
  const { rebuilt, takeOver } = await lose(async () => {});
  const before = await repositoryOf(rebuilt, rows.user.id);
  expect(await takeOver()).toEqual({ newer: 0, unread: 0, elsewhere: 0 });
  expect(await repositoryOf(rebuilt, rows.user.id)).toEqual(before);
});
