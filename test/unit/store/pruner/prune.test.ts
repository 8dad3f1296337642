import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/clock.ts';
import { AppError } from '../../../../src/errors.ts';
import type { Backend } from '../../../../src/store/backend/backend.ts';
import type { SnapshotId } from '../../../../src/store/format/ids.ts';
import { type PruneOptions, type PruneReport, prune } from '../../../../src/store/pruner/prune.ts';
import { repairSnapshots } from '../../../../src/store/repairer/repair-snapshots.ts';
import { checkRepository } from '../../../../src/store/repository/check.ts';
import { openRepository } from '../../../../src/store/repository/repository.ts';
import { failingAt } from '../../../support/fixtures/failing-backend.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { type Folder, newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';

const clock = systemClock();

/** The same bytes for the same number, which no compressor makes smaller. */
const content = (number: number) =>
  Buffer.concat(Array.from({ length: 40 }, (_, part) => createHash('sha256').update(`${number} ${part}`).digest()));

/** A folder of these files, some of them deeper down. */
function folderOf(numbers: readonly number[]): Folder {
  const files = numbers.map((number) => [`${number}.bin`, content(number)] as const);
  const deep = files.filter((_, index) => index % 3 === 0);
  return { ...Object.fromEntries(files), deep: { down: Object.fromEntries(deep) } };
}

/** A repository with a snapshot of each list of files; each writes packs of its own, whatever stands already. */
async function repositoryWith(lists: readonly (readonly number[])[]) {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const ids: SnapshotId[] = [];
  for (const list of lists) ids.push((await writeSnapshot(repository, folderOf(list))).id);
  return { backend, ids, forget: (id: SnapshotId | undefined) => id && repository.forgetSnapshot(id) };
}

const pruneIt = async (backend: Backend, options: Partial<PruneOptions> = {}): Promise<PruneReport> =>
  prune(await openRepository(backend, 'pw'), { clock, ...options });

const namesIn = async (backend: Backend, type: 'data' | 'index') =>
  (await Array.fromAsync(backend.list(type), ({ name }) => name)).sort();

/** Everything is whole, and no pack is left that no index names. */
async function expectWhole(backend: MemoryBackend, snapshots: number): Promise<void> {
  const report = await checkRepository(await openRepository(backend, 'pw'), { readData: 'all' });
  expect(report).toMatchObject({ findings: [], snapshots });
}

async function expectNoOrphans(backend: MemoryBackend): Promise<void> {
  const index = await (await openRepository(backend, 'pw')).loadIndex();
  expect(Array.from(index.packs(), ({ id }) => id).sort()).toEqual(await namesIn(backend, 'data'));
}

test('a snapshot that the store lists and does not give keeps its data: it is named by prune and check, and goes by the cure', async () => {
  const { backend, ids, forget } = await repositoryWith([[1, 2], [3]]);
  const [lost] = ids;
  await forget(lost);
  const isListed = { value: true };
  const listing: Backend = {
    ...backend,
    async *list(type) {
      yield* backend.list(type);
      if (type === 'snapshot' && isListed.value) yield { name: lost ?? '', size: 200 };
    },
    remove: async (type, name) => {
      if (name !== lost) return backend.remove(type, name);
      isListed.value = false;
      throw new AppError('store/not-found', 'The store has no such file.');
    },
  };
  const before = new Map(backend.files);
  const named = expect.stringMatching(`lists the file snapshots/${lost}.*nightkeep repair snapshots --forget`);
  await expect(pruneIt(listing)).rejects.toMatchObject({ code: 'store/unavailable', message: named });
  expect(backend.files).toEqual(before);
  const { findings } = await checkRepository(await openRepository(listing, 'pw'));
  expect(findings).toMatchObject([{ severity: 'hint', message: named }]);
  const repository = await openRepository(listing, 'pw');
  await repository.loadIndex();
  const gone = await Array.fromAsync(repairSnapshots(repository, { clock, forget: true }));
  expect(gone).toMatchObject([{ id: lost, isLost: true }]);
  expect((await pruneIt(listing)).packsRemoved).toBe(2);
});

describe('prune', () => {
  test('leaves what snapshots need, whole, and of the rest no more than asked', async () => {
    const lists = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 8 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(
        lists,
        fc.array(fc.boolean()),
        fc.constantFrom(0, 0.05, 0.5),
        async (made, goes, unusedShare) => {
          const { backend, ids, forget } = await repositoryWith(made);
          const staying = [...new Set(ids)].filter((_, index) => !goes[index]);
          for (const id of new Set(ids)) if (!staying.includes(id)) await forget(id);
          const report = await pruneIt(backend, { unusedShare });
          await expectWhole(backend, staying.length);
          await expectNoOrphans(backend);
          expect(report.bytesUnused).toBeLessThanOrEqual(report.bytesUsed * unusedShare);
          // Of copies that are left where some may be unused, the next prune may choose others.
          const again = await pruneIt(backend, { unusedShare });
          if (unusedShare === 0) expect(again).toMatchObject({ packsRemoved: 0, packsRepacked: 0, bytesFreed: 0 });
          await expectWhole(backend, staying.length);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('keeps one copy of what packs repeat', async () => {
    const { backend } = await repositoryWith([
      [1, 2, 3],
      [1, 2, 3, 4],
      [1, 2, 3, 5],
    ]);
    await pruneIt(backend, { unusedShare: 0 });
    const index = await (await openRepository(backend, 'pw')).loadIndex();
    const blobs = Array.from(index.packs(), (pack) => pack.blobs.map(({ type, id }) => type + id)).flat();
    expect(blobs.length).toBe(new Set(blobs).size);
    await expectWhole(backend, 3);
  });

  test('merges the small packs and the index files of many nights', async () => {
    const { backend } = await repositoryWith(Array.from({ length: 40 }, (_, night) => [night, night + 1, night + 2]));
    expect(await pruneIt(backend)).toMatchObject({ indexesBefore: 40, indexesAfter: 1 });
    expect(await namesIn(backend, 'index')).toHaveLength(1);
    expect((await namesIn(backend, 'data')).length).toBeLessThan(5);
    await expectWhole(backend, 40);
  });

  test('says beforehand what it would do, and does nothing then', async () => {
    const { backend, ids, forget } = await repositoryWith([[1, 2, 3], [3, 4], [5]]);
    await forget(ids[0]);
    const before = new Map(backend.files);
    const foretold = await pruneIt(backend, { dryRun: true });
    expect(backend.files).toEqual(before);
    expect(await pruneIt(backend)).toMatchObject({ ...foretold, indexesAfter: expect.any(Number) });
    expect(foretold.bytesFreed).toBeGreaterThan(2 * content(1).length);
  });

  test('removes packs that no index names: what a killed run left', async () => {
    const { backend } = await repositoryWith([[1]]);
    const [some] = [...backend.files.values()].filter(({ type }) => type === 'data');
    await backend.save('data', 'ab'.repeat(32), some?.bytes ?? Buffer.of());
    expect(await pruneIt(backend)).toMatchObject({ packsUnindexed: 1, bytesFreed: some?.bytes.length });
    await expectNoOrphans(backend);
  });

  test.each([
    ['saves', 'before'],
    ['saves', 'after'],
    ['removes', 'before'],
    ['removes', 'after'],
    ['loads', 'before'],
  ] as const)(
    'leaves a whole repository when the store fails as it %s, %s the n-th, and the next one ends it',
    async (act, when) => {
      let n = 0;
      for (let finished = false; !finished; ) {
        expect(++n).toBeLessThan(120);
        const { backend, ids, forget } = await repositoryWith([
          [1, 2, 3],
          [3, 4, 5],
          [5, 6, 7],
          [1, 8],
          [9, 10],
        ]);
        for (const gone of [ids[0], ids[3]]) await forget(gone);
        const failing = failingAt(backend, { act, when, n });
        const pruned = await pruneIt(failing.backend, { unusedShare: 0 }).catch((error: unknown) => error);
        finished = failing.count() < n;
        if (!finished) expect(pruned).toMatchObject({ code: 'store/unavailable' });
        await expectWhole(backend, 3);
        await pruneIt(backend, { unusedShare: 0 });
        await expectWhole(backend, 3);
        await expectNoOrphans(backend);
      }
      expect(n).toBeGreaterThan(2);
    },
  );

  test('removes nothing once its lock is lost', async () => {
    const { backend, ids, forget } = await repositoryWith([
      [1, 2, 3],
      [3, 4],
    ]);
    await forget(ids[0]);
    const lost = new AbortController();
    const writing: Backend = {
      ...backend,
      save: async (...file) => {
        await backend.save(...file);
        lost.abort(new AppError('repository/lost-lock', 'gone'));
      },
      remove: async () => expect.fail('removed after the lock was lost'),
    };
    await expect(pruneIt(writing, { unusedShare: 0, signal: lost.signal })).rejects.toMatchObject({
      code: 'repository/lost-lock',
    });
    await expectWhole(backend, 1);
  });

  describe('refuses a repository that is damaged, and removes nothing', () => {
    const damage: Record<string, (backend: MemoryBackend) => void> = {
      'a snapshot file': (backend) => spoil(backend, 'snapshot'),
      'an index file': (backend) => spoil(backend, 'index'),
      'the index files are gone': (backend) => drop(backend, 'index'),
      'packs are gone': (backend) => drop(backend, 'data'),
      'packs are cut': (backend) => cut(backend),
    };
    test.each(Object.keys(damage))('%s', async (name) => {
      const { backend, ids, forget } = await repositoryWith([
        [1, 2, 3],
        [3, 4],
      ]);
      await forget(ids[0]);
      damage[name]?.(backend);
      const before = [...backend.files.keys()].sort();
      await expect(pruneIt(backend)).rejects.toMatchObject({ code: 'repository/damaged' });
      expect([...backend.files.keys()].sort()).toEqual(before);
    });
  });

  test('removes nothing where a pack that is needed has another size than the index says', async () => {
    const { backend, ids, forget } = await repositoryWith([
      [1, 2],
      [3, 4],
    ]);
    await forget(ids[0]);
    const index = await (await openRepository(backend, 'pw')).loadIndex();
    const packs = [...index.packs()].filter(({ blobs }) => blobs.every(({ type }) => type === 'data'));
    const name = packs.at(-1)?.id ?? '';
    for (const [path, file] of filesOf(backend, 'data'))
      if (file.name === name) backend.files.set(path, { ...file, bytes: Buffer.concat([file.bytes, Buffer.of(0)]) });
    const before = await namesIn(backend, 'data');
    await expect(pruneIt(backend)).rejects.toMatchObject({ code: 'repository/damaged', detail: { packId: name } });
    expect(await namesIn(backend, 'data')).toEqual(before);
  });

  test('drops a pack that is missing where nothing needs it', async () => {
    const { backend, ids, forget } = await repositoryWith([
      [1, 2],
      [3, 4],
    ]);
    const index = await (await openRepository(backend, 'pw')).loadIndex();
    const [first] = index.packs();
    await forget(ids[0]);
    await backend.remove('data', first?.id ?? '');
    await pruneIt(backend);
    await expectNoOrphans(backend);
    await expectWhole(backend, 1);
  });
});

type Type = 'snapshot' | 'index' | 'data';

function filesOf(backend: MemoryBackend, type: Type) {
  return [...backend.files].filter(([, file]) => file.type === type);
}

function spoil(backend: MemoryBackend, type: Type): void {
  const bytes = filesOf(backend, type).at(-1)?.[1].bytes;
  if (bytes !== undefined) bytes[20] = (bytes[20] ?? 0) ^ 1;
}

function drop(backend: MemoryBackend, type: Type): void {
  for (const [path] of filesOf(backend, type)) backend.files.delete(path);
}

function cut(backend: MemoryBackend): void {
  for (const [path, file] of filesOf(backend, 'data'))
    backend.files.set(path, { ...file, bytes: file.bytes.subarray(1) });
}
