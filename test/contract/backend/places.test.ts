import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { parseStoreAddress, type StoreAddress } from '../../../src/domain/store-address.ts';
import { openStores, type Stores } from '../../../src/store/stores.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { startMemoryRest } from '../../support/servers/memory-rest.ts';
import { startMemoryS3 } from '../../support/servers/memory-s3.ts';

let opened: AsyncDisposableStack;
let stores: Stores;
/** Kinds of stores, each with an empty one of its own. */
let kinds: Record<string, () => StoreAddress>;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const server = opened.use(await startMemoryS3({ pageSize: 3 }));
  const { path } = opened.use(await temporaryFolder('places'));
  stores = opened.use(openStores({ storeKeys: [{ id: 'tester', secret: 'a-secret-of-the-tests' }] }, systemClock()));
  const endpoint = `?endpoint=${server.origin}`;
  const rest = opened.use(await startMemoryRest());
  const other = opened.use(await startMemoryS3({ pageSize: 3 }));
  kinds = {
    folder: () => parseStoreAddress(pathToFileURL(join(path, randomUUID())).href),
    bucket: () => parseStoreAddress(`s3://backups/below/${randomUUID()}${endpoint}`),
    'REST server': () => parseStoreAddress(`rest:${rest.origin}/${randomUUID()}/`),
    'whole REST server': () => parseStoreAddress(`rest:${rest.origin}/`),
    'whole bucket': () => parseStoreAddress(`s3://backups?endpoint=${other.origin}`),
  };
});
afterAll(() => opened.disposeAsync());

test.each(['folder', 'bucket', 'whole bucket', 'REST server', 'whole REST server'])(
  'a %s lists each place in which something is once, and nothing of what is inside',
  async (kind) => {
    const store = kinds[kind]?.() ?? parseStoreAddress('file:///nowhere');
    expect(await stores.places(store)).toEqual([]);
    const names = Array.from({ length: 8 }, () => randomUUID());
    for (const name of names)
      for (const type of ['key', 'data', 'data'] as const) {
        const bytes = randomBytes(10);
        await stores.open(store, name).save(type, createHash('sha256').update(bytes).digest('hex'), bytes);
      }
    expect((await stores.places(store)).toSorted()).toEqual(names.toSorted());
  },
);

test('files that lie about in the folder of a store are no places', async () => {
  const store = kinds.folder?.();
  if (store?.kind !== 'folder') throw new Error('It is a folder.');
  await mkdir(store.folder, { recursive: true });
  await writeFile(join(store.folder, 'notes.txt'), 'of the operator');
  expect(await stores.places(store)).toEqual([]);
});
