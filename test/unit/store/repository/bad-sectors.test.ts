import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Backend } from '../../../../src/store/backend/backend.ts';
import { localError } from '../../../../src/store/backend/local-error.ts';
import { repairPacks } from '../../../../src/store/repairer/repair-packs.ts';
import { checkRepository } from '../../../../src/store/repository/check.ts';
import { openRepository, type Repository } from '../../../../src/store/repository/repository.ts';
import { restore } from '../../../../src/store/restorer/restore.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../../support/fixtures/temporary-folder.ts';

/** Two files, each in a pack of its own, and a disk that does not give the packs that are named. */
async function place(isBad: (pack: string) => boolean) {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const [one] = (await writeSnapshot(repository, { 'one.txt': Buffer.from('1') })).packs;
  const both = await writeSnapshot(repository, { 'one.txt': Buffer.from('1'), 'two.txt': Buffer.from('2') });
  const onDisk: Backend = {
    ...backend,
    load: async (type, name, ...rest) => {
      if (type !== 'data' || !isBad(name)) return backend.load(type, name, ...rest);
      const error = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
      throw localError(error, '/srv/store', { file: `data/${name.slice(0, 2)}/${name}` });
    },
  };
  return { backend, onDisk, one: one?.id ?? '', snapshot: both.id, packs: both.packs };
}

async function restored(repository: Repository, id: Parameters<Repository['loadSnapshot']>[0]) {
  await using to = await temporaryFolder('restored');
  await repository.loadIndex();
  const report = await restore(repository, await repository.loadSnapshot(id), join(to.path, 'all'));
  const names = (await readdir(join(to.path, 'all'))).toSorted();
  const files = await Promise.all(names.map((name) => readFile(join(to.path, 'all', name), 'utf8')));
  return { problems: report.problems, files: Object.fromEntries(names.map((name, at) => [name, files[at]])) };
}

test('a pack that the disk does not give keeps nothing else from being restored, is named by a check, and is removed by no repair', async () => {
  let bad = '';
  const { backend, onDisk, snapshot, packs } = await place((pack) => pack === bad);
  // The second snapshot holds both files; what is bad is the pack that has them for it alone.
  bad = packs[0]?.id ?? '';
  const { problems, files } = await restored(await openRepository(onDisk, 'pw'), snapshot);
  expect(files).toEqual({ 'one.txt': '1' });
  expect(problems).toMatchObject([
    { path: 'two.txt', message: expect.stringContaining(`${bad} cannot be read from the store`) },
  ]);
  const { findings } = await checkRepository(await openRepository(onDisk, 'pw'), { readData: 'all' });
  expect(findings).toMatchObject([{ kind: 'pack-damaged', packId: bad, files: [{ path: '/two.txt' }] }]);
  const before = [...backend.files.keys()].toSorted();
  const repairing = repairPacks(
    await openRepository(onDisk, 'pw'),
    packs.slice(0, 1).map(({ id }) => id),
  );
  await expect(repairing).rejects.toMatchObject({ code: 'store/unavailable', message: expect.stringContaining(bad) });
  expect([...backend.files.keys()].toSorted()).toEqual(before);
});

test('a disk that gives nothing ends a reading as such', async () => {
  const { onDisk } = await place(() => true);
  const repository = await openRepository(onDisk, 'pw');
  await repository.loadIndex();
  const [pack] = [...repository.index.packs()];
  const blob = pack?.blobs[0];
  if (blob === undefined) throw new Error('There is no blob.');
  const codes: string[] = [];
  for (let number = 0; number < 120; number += 1)
    await repository.loadBlob(blob.type, blob.id as never).catch(({ code }: { code: string }) => codes.push(code));
  expect(new Set(codes.slice(0, 40))).toEqual(new Set(['repository/damaged']));
  expect(codes.at(-1)).toBe('store/unavailable');
});
