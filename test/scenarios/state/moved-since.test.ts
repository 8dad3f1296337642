import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { systemClock } from '../../../src/clock.ts';
import { listRepositoryPlacesOf } from '../../../src/database/repositories/repository-moves.ts';
import { parseStoreAddress, type StoreAddress, storeUrl } from '../../../src/domain/store-address.ts';
import { dayMs } from '../../../src/durations.ts';
import { adoptRepositories } from '../../../src/flows/adoption/adopt-repositories.ts';
import { writeCards } from '../../../src/flows/adoption/keep-card.ts';
import { takeOverCards } from '../../../src/flows/adoption/take-over-cards.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { exportIntoStore } from '../../../src/flows/state/export-into-store.ts';
import { importFromStore } from '../../../src/flows/state/stored-exports.ts';
import { deleteFormerCopy, moveRepository } from '../../../src/flows/store/move-repository.ts';
import type { Resources } from '../../../src/resources.ts';
import { removeCards } from '../../../src/store/repository/cards.ts';
import { repositoryExists } from '../../../src/store/repository/exists.ts';
import { openStores } from '../../../src/store/stores.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type LostServer, openLostServer } from '../../support/harness/lost-server.ts';
import { sealRows } from '../../support/harness/row-seals.ts';

const by = 'command:test';
let server: LostServer;
let here: StoreAddress;
let elsewhere: StoreAddress;
let opened: AsyncDisposableStack;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder('stores'));
  here = parseStoreAddress(`file://${path}/here`);
  elsewhere = parseStoreAddress(`file://${path}/elsewhere`);
  const stores = opened.use(openStores({ storeKeys: [] }, systemClock()));
  const addressOf = (at: string | null) => (at === null ? here : parseStoreAddress(at));
  server = opened.use(
    await openLostServer({
      store: (location, at) => stores.open(addressOf(at), location),
      places: (at) => stores.places(addressOf(at)),
    }),
  );
});
afterEach(() => opened.disposeAsync());

const inStore = (resources: Resources): Resources => ({ ...resources, config: { ...resources.config, store: here } });

const placeIn = async ({ database }: Resources, userId: string) => {
  const [place] = await listRepositoryPlacesOf(database, userId);
  return place ?? expect.unreachable();
};

/** Two nights, an export, a move, another night there, and whatever else happens; then the server is lost and the export brought back. */
async function lose({
  keepsOldCopy = false,
  meanwhile = async () => {},
}: {
  keepsOldCopy?: boolean;
  meanwhile?: (grantId: string) => Promise<unknown>;
} = {}) {
  const { before } = server;
  const resources = inStore(before.resources);
  const { user, plan, grant } = await before.consent(alice);
  const night = async () => expect(await before.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  await night();
  await writeCards(resources);
  await exportIntoStore(resources, { by });
  before.custody.pass(60_000);
  await moveRepository(resources, await placeIn(resources, user.id), { to: elsewhere, by });
  await night();
  await meanwhile(grant.id);
  await writeCards(resources);
  if (!keepsOldCopy) await deleteFormerCopy(resources, await placeIn(resources, user.id), { by });
  const rebuilt = inStore(await server.rebuild());
  const { createdAt } = await importFromStore(rebuilt, { name: 'latest', by });
  const takenOver = await takeOverCards(rebuilt, { since: new Date(createdAt), by });
  return { user, rebuilt, takenOver };
}
const adopt = (resources: Resources, { dryRun = false, at = storeUrl(elsewhere) as string | null } = {}) =>
  Array.fromAsync(adoptRepositories(resources, { at, dryRun, by }));

async function snapshotsOf(resources: Resources, userId: string): Promise<number> {
  const { repository } = await openPersonRepository(resources, userId);
  return (await Array.fromAsync(repository.listSnapshots())).length;
}

describe('a repository that was moved after the export', () => {
  test.each([false, true])(
    'is missed by the import, and found by adopting from the other store (old copy there: %s)',
    async (keepsOldCopy) => {
      const { user, rebuilt, takenOver } = await lose({ keepsOldCopy });
      expect(takenOver).toEqual({ newer: 0, unread: 0, elsewhere: 1 });
      expect(await adopt(rebuilt, { at: null })).toEqual(
        keepsOldCopy ? [expect.objectContaining({ state: 'known' })] : [],
      );
      expect(await adopt(rebuilt, { dryRun: true })).toMatchObject([{ state: 'adoptable', snapshots: 2 }]);
      expect(await placeIn(rebuilt, user.id)).toMatchObject({ store: null });

      expect(await adopt(rebuilt)).toMatchObject([{ state: 'adopted', snapshots: 2, owner: { username: 'alice' } }]);
      const place = await placeIn(rebuilt, user.id);
      expect(place).toMatchObject({
        store: storeUrl(elsewhere),
        movingTo: null,
        formerStore: keepsOldCopy ? storeUrl(rebuilt.config.store) : null,
      });
      expect(await snapshotsOf(rebuilt, user.id)).toBe(2);
      expect(await adopt(rebuilt)).toMatchObject([{ state: 'known' }]);
      expect(await rebuilt.database.audit.findMany({ where: { act: 'repository-moved' } })).toMatchObject([
        { by, userId: user.id, about: storeUrl(elsewhere) },
      ]);
      if (keepsOldCopy) expect(await deleteFormerCopy(rebuilt, place, { by })).toBe(true);
      expect(await repositoryExists(rebuilt.store(place.location, null))).toBe(false);
    },
  );

  test('brings what its card says since', async () => {
    const { before } = server;
    const eraseAt = new Date(before.resources.clock.now().getTime() + 90 * dayMs);
    const { user, rebuilt } = await lose({
      meanwhile: (grantId) => withdrawConsent(before.resources, { grantId, by: 'user', eraseAt }),
    });
    await adopt(rebuilt);
    expect(await placeIn(rebuilt, user.id)).toMatchObject({ eraseAt });
  });

  test('is erased with its old copy', async () => {
    const { user, rebuilt } = await lose({ keepsOldCopy: true });
    await adopt(rebuilt);
    const { location } = await placeIn(rebuilt, user.id);
    await rebuilt.database.repository.updateMany({ data: { eraseAt: new Date(0) } });
    await sealRows(rebuilt);
    await eraseRepositories(rebuilt, { signal: new AbortController().signal });
    for (const at of [null, storeUrl(elsewhere)])
      expect(await repositoryExists(rebuilt.store(location, at))).toBe(false);
  });

  test('stays where the rows say while its card is there, or none elsewhere is of it', async () => {
    const { user, rebuilt } = await lose({ keepsOldCopy: true });
    const place = await placeIn(rebuilt, user.id);
    await writeCards(rebuilt);
    await rebuilt.database.repository.updateMany({ data: { cardDigest: null, cardDueAt: new Date(0) } });
    await writeCards(rebuilt);
    expect(await adopt(rebuilt)).toMatchObject([{ state: 'known' }]);
    await removeCards(rebuilt.store(place.location, null));
    await removeCards(rebuilt.store(place.location, storeUrl(elsewhere)));
    expect(await adopt(rebuilt)).toMatchObject([{ state: 'known' }]);
    expect(await placeIn(rebuilt, user.id)).toMatchObject({ store: null });
  });
});
