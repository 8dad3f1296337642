import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkRepository } from '../../../../src/store/repository/check.ts';
import { openRepository } from '../../../../src/store/repository/repository.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';

/** A check that has read all packs while its lock was being taken. */
async function begunCheck() {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const { id, packs } = await writeSnapshot(repository, {
    file: randomBytes(3000),
    sub: { other: Buffer.from('text') },
  });
  const data = packs.find(({ blobs }) => blobs[0]?.type === 'data');
  if (data === undefined) throw new Error('no pack of data');
  const read: string[] = [];
  const all = Promise.withResolvers<void>();
  const watched: typeof backend = {
    ...backend,
    load: async (type, name, ...rest) => {
      const bytes = await backend.load(type, name, ...rest);
      if (type === 'data') read.push(name);
      if (read.length === packs.length) all.resolve();
      return bytes;
    },
  };
  const lock = Promise.withResolvers<void>();
  const check = checkRepository(await openRepository(watched, 'pw'), { locking: lock.promise, readData: 'all' });
  check.catch(() => undefined);
  await all.promise;
  return { backend, repository, id, data, pathOfData: `data/${data.id.slice(0, 2)}/${data.id}`, lock, check, read };
}

test('packs are read before the lock has settled, and those of data not again', async () => {
  const { check, lock, read, data } = await begunCheck();
  lock.resolve();
  expect(await check).toMatchObject({ findings: [], snapshots: 1, packs: 2, packsRead: 2 });
  expect(read.filter((name) => name === data.id)).toHaveLength(1);
});

test('what another wrote before the lock settled is checked too', async () => {
  const { check, lock, repository } = await begunCheck();
  await writeSnapshot(repository, { later: Buffer.from('written meanwhile') });
  lock.resolve();
  expect(await check).toMatchObject({ findings: [], snapshots: 2, packs: 4, packsRead: 4 });
});

test('a pack that went or was cut since it was read is named all the same', async () => {
  const gone = await begunCheck();
  gone.backend.files.delete(gone.pathOfData);
  gone.lock.resolve();
  expect((await gone.check).findings).toMatchObject([{ kind: 'pack-missing', packId: gone.data.id }]);
  const cut = await begunCheck();
  const file = cut.backend.files.get(cut.pathOfData);
  Object.assign(file ?? {}, { bytes: file?.bytes.subarray(0, 100) });
  cut.lock.resolve();
  const kinds = (await cut.check).findings.map(({ kind, packId }) => [kind, packId]);
  expect(kinds).toEqual([
    ['pack-size', cut.data.id],
    ['pack-damaged', cut.data.id],
  ]);
});

test('a lock that is refused ends it with the reason, and an index file that went meanwhile with `repository/locked`', async () => {
  const refused = await begunCheck();
  refused.lock.reject(new Error('locked by somebody'));
  await expect(refused.check).rejects.toThrow('locked by somebody');
  const pruned = await begunCheck();
  for await (const { name } of pruned.backend.list('index')) await pruned.backend.remove('index', name);
  pruned.lock.resolve();
  await expect(pruned.check).rejects.toMatchObject({ code: 'repository/locked' });
});

test('an index file that is damaged is named once', async () => {
  const backend = openMemoryBackend();
  await writeSnapshot(await newRepository(backend), { file: Buffer.from('text') });
  const index = [...backend.files.values()].find(({ type }) => type === 'index');
  Object.assign(index ?? {}, { bytes: Buffer.from(index?.bytes ?? '').fill(1, 20, 21) });
  const locking = new Promise((resolve) => setImmediate(resolve));
  const { findings } = await checkRepository(await openRepository(backend, 'pw'), { locking });
  expect(findings.map(({ kind }) => kind)).toEqual(['file-damaged', 'blob-missing']);
});
