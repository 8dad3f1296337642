import { expect, test } from 'vitest';
import { pathOf } from '../../../src/store/backend/backend.ts';
import type { BlobType } from '../../../src/store/format/ids.ts';
import { repairPacks } from '../../../src/store/repairer/repair-packs.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { type MemoryBackend, openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';

/** Folders that say by a validator of their own that nothing in them changed, and some that do not. */
const top = folder(
  {
    'a.txt': file('alpha'),
    steady: folder({ deep: folder({ 'b.txt': file('beta') }, { validator: '"deep"' }) }, { validator: '"steady"' }),
    plain: folder({ 'c.txt': file('gamma'), empty: folder() }),
  },
  { validator: '"top"' },
);

async function night(backend: MemoryBackend) {
  const repository = await openRepository(backend, 'pw');
  await repository.loadIndex();
  const source = memorySource(top);
  return { ...(await archiveNight(repository, [source])), opened: source.opened };
}

async function firstNight() {
  const backend = openMemoryBackend();
  await newRepository(backend);
  const { tree } = await night(backend);
  const whole = await contentOf(await reopened(backend), tree);
  return { backend, whole };
}

async function reopened(backend: MemoryBackend) {
  const repository = await openRepository(backend, 'pw');
  await repository.loadIndex();
  return repository;
}

async function packsOf(backend: MemoryBackend, type: BlobType) {
  return [...(await reopened(backend)).index.packs()].filter(({ blobs }) => blobs[0]?.type === type);
}

test.each(['gone', 'cut', 'flipped'])(
  'trees that the index names but whose pack is %s are made again by the next night',
  async (how) => {
    const { backend, whole } = await firstNight();
    for (const { id } of await packsOf(backend, 'tree')) {
      const path = pathOf('data', id);
      const stored = backend.files.get(path);
      if (stored === undefined) throw new Error('The pack is gone.');
      if (how === 'gone') backend.files.delete(path);
      else if (how === 'cut') backend.files.set(path, { ...stored, bytes: stored.bytes.subarray(0, 10) });
      else stored.bytes.fill(7, 20, stored.bytes.length - 300);
    }
    const { tree, problems, opened } = await night(backend);
    expect(problems).toEqual([]);
    expect(opened).not.toEqual([]);
    expect(await contentOf(await reopened(backend), tree)).toEqual(whole);
  },
);

test('files whose data was lost are read again by the night after the repair, and no others', async () => {
  const { backend, whole } = await firstNight();
  const [pack] = await packsOf(backend, 'data');
  backend.files.delete(pathOf('data', pack?.id ?? ''));
  const lost = (await repairPacks(await openRepository(backend, 'pw'), [])).blobsLost;
  const { tree, problems, opened } = await night(backend);
  expect([problems, opened.length]).toEqual([[], lost]);
  expect(await contentOf(await reopened(backend), tree)).toEqual(whole);
  expect(await checkRepository(await openRepository(backend, 'pw'), { readData: 'all' })).toMatchObject({
    findings: [],
  });
});
