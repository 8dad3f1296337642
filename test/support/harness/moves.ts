import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { listRepositoryPlacesOf, type RepositoryPlace } from '../../../src/database/repositories/repository-moves.ts';
import { parseStoreAddress, type StoreAddress } from '../../../src/domain/store-address.ts';
import { markPlaces } from '../../../src/flows/keys/marks.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { moveRepository } from '../../../src/flows/store/move-repository.ts';
import type { Resources } from '../../../src/resources.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openLockOwner } from '../../../src/store/repository/locks.ts';
import { openStores } from '../../../src/store/stores.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { type MemoryS3, startMemoryS3 } from '../servers/memory-s3.ts';
import { type ConsentFixture, openConsentFixture } from './consent.ts';

/** Somebody who was backed up once into a folder, and a bucket to which their repository may be moved. */
export interface MoveFixture extends AsyncDisposable {
  readonly consents: ConsentFixture;
  readonly resources: Resources;
  readonly rows: Awaited<ReturnType<ConsentFixture['consent']>>;
  readonly server: MemoryS3;
  readonly bucket: StoreAddress;
  /** Another place for repositories, a folder. */
  readonly elsewhere: StoreAddress;
  place(): Promise<RepositoryPlace>;
  /** To the bucket, unless another store is named. */
  move(resources?: Resources, to?: StoreAddress): ReturnType<typeof moveRepository>;
  /** How many files are in the folder. */
  filesInFolder(): Promise<number>;
  /** Checks the repository, wherever it is, and answers where that is. */
  expectSound(snapshots: number): Promise<Backend>;
  /** The same Nightkeep, which breaks off at the n-th write to any store, before it or, where `done`, after it. */
  mortal(steps: number, options?: { done: boolean }): Resources;
}

export const by = 'command:test';
/** A number that no process has. */
const longDead = 2 ** 30;

export async function openMoveFixture(): Promise<MoveFixture> {
  await using opened = new AsyncDisposableStack();
  const top = opened.use(await temporaryFolder('move'));
  const server = opened.use(await startMemoryS3());
  const folder = parseStoreAddress(`file://${top.path}/store`);
  const bucket = parseStoreAddress(`s3://backups/moved?endpoint=${server.origin}`);
  const storeKeys = [{ id: 'tester', secret: 'a-secret-of-the-tests' }];
  const stores = opened.use(openStores({ storeKeys }, systemClock()));
  const store: Resources['store'] = (location, at) =>
    stores.open(at === null ? folder : parseStoreAddress(at), location);
  const consents = opened.use(await openConsentFixture({ store }));
  const resources = { ...consents.resources, config: { ...consents.resources.config, store: folder } };
  const rows = await consents.consent();
  expect(await consents.backUp(rows.plan.id)).toMatchObject({ state: 'succeeded' });
  const place = async () => {
    const [found] = await listRepositoryPlacesOf(resources.database, rows.user.id);
    if (found === undefined) throw new Error('There is no repository.');
    return found;
  };
  const closing = opened.move();
  return {
    consents,
    resources,
    rows,
    server,
    bucket,
    elsewhere: parseStoreAddress(`file://${top.path}/elsewhere`),
    place,
    move: async (with_ = resources, to = bucket) => moveRepository(with_, await place(), { to, by }),
    filesInFolder: async () => {
      const entries = await readdir(join(top.path, 'store'), { recursive: true, withFileTypes: true });
      return entries.filter((one) => one.isFile() && !one.parentPath.includes(markPlaces)).length;
    },
    expectSound: async (snapshots) => {
      const { repository } = await openPersonRepository(resources, rows.user.id);
      expect(await checkRepository(repository, { readData: 'all' })).toMatchObject({ findings: [], snapshots });
      return repository.backend;
    },
    mortal: (steps, options = { done: false }) => mortal(resources, steps, options),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function mortal(resources: Resources, steps: number, { done }: { done: boolean }): Resources {
  let left = steps;
  const step = async (work: () => Promise<void>) => {
    left -= 1;
    if (left < 0) throw new Error('killed');
    if (left > 0) return work();
    if (done) await work();
    throw new Error('killed');
  };
  const store: Resources['store'] = (location, at) => {
    const backend = resources.store(location, at);
    return {
      ...backend,
      save: (...file) => step(() => backend.save(...file)),
      remove: (...file) => step(() => backend.remove(...file)),
      vacate: () => step(() => backend.vacate()),
    };
  };
  return {
    ...resources,
    store,
    lockOwner: { ...openLockOwner(resources.lockOwner.hostname), pid: longDead },
  };
}
