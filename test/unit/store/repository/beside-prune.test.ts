import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/clock.ts';
import type { Backend, FileType } from '../../../../src/store/backend/backend.ts';
import { prune } from '../../../../src/store/pruner/prune.ts';
import { openRepository } from '../../../../src/store/repository/repository.ts';
import { restore } from '../../../../src/store/restorer/restore.ts';
import { zipFolder } from '../../../../src/store/restorer/zip.ts';
import { zipNotes as notes } from '../../../../src/web/texts/en.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../../support/fixtures/temporary-folder.ts';

const clock = systemClock();
const files = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, randomBytes(2000)]));

/** A snapshot that stays and one that goes, whose packs hold what both need, so that a prune has to move it. */
async function beforePrune() {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const own = files(['a', 'b', 'c']);
  const kept = { one: { ...own, ...files(['d', 'e']) }, two: own };
  const gone = await writeSnapshot(repository, { kept, ...files(['x', 'y', 'z']) });
  const [node] = (await repository.loadTree(gone.tree)).nodes;
  if (node?.type !== 'dir') throw new Error('The first is a folder.');
  const id = await repository.saveSnapshot({ time: '2026-01-03T03:04:05Z', tree: node.subtree, paths: [] });
  const foreignPrune = async () => {
    const other = await openRepository(backend, 'pw');
    await other.forgetSnapshot(gone.id);
    expect(await prune(other, { clock, unusedShare: 0 })).toMatchObject({ packsRepacked: 2 });
  };
  return { backend, id, foreignPrune };
}

describe('a reader, while another program prunes at the n-th call of the store,', () => {
  const readers: [string, (backend: Backend, tree: Awaited<ReturnType<typeof beforePrune>>) => Promise<void>][] = [
    [
      'restores all',
      async (backend, { id }) => {
        const repository = await openRepository(backend, 'pw');
        const { snapshot } = await repository.findSnapshot(id);
        await repository.loadIndex();
        await using target = await temporaryFolder('beside');
        const report = await restore(repository, snapshot, `${target.path}/all`);
        expect(report).toMatchObject({ files: 8, problems: [] });
      },
    ],
    [
      'zips all',
      async (backend, { id }) => {
        const repository = await openRepository(backend, 'pw');
        const { snapshot } = await repository.findSnapshot(id);
        await repository.loadIndex();
        const zip = Buffer.concat(await Array.fromAsync(zipFolder(repository, snapshot, '', { notes })));
        expect(zip.includes('NOT RESTORED')).toBe(false);
      },
    ],
  ];
  test.each(readers)('%s', async (_, read) => {
    let n = 0;
    for (let finished = false; !finished; ) {
      expect(++n).toBeLessThan(60);
      const made = await beforePrune();
      const { backend, foreignPrune } = made;
      let calls = 0;
      const turn = async () => {
        calls += 1;
        if (calls === n) await foreignPrune();
      };
      const besieged: Backend = {
        ...backend,
        load: async (type, name, range) => {
          await turn();
          return backend.load(type, name, range);
        },
        list: async function* (type: FileType) {
          const listed = await Array.fromAsync(backend.list(type));
          await turn();
          yield* listed;
        },
      };
      await read(besieged, made);
      finished = calls < n;
    }
    expect(n).toBeGreaterThan(8);
  });
});

test('a blob that is nowhere costs one look at the index for each pack, not one for each blob', async () => {
  const { backend, id } = await beforePrune();
  const repository = await openRepository(backend, 'pw');
  await repository.loadIndex();
  const { snapshot } = await repository.findSnapshot(id);
  for (const [path, { type }] of backend.files)
    if (
      type === 'data' &&
      ![...repository.index.packs()].some((pack) => path.endsWith(pack.id) && pack.blobs[0]?.type === 'tree')
    )
      backend.files.delete(path);
  let lists = 0;
  const list = backend.list;
  backend.list = (type) => {
    if (type === 'index') lists += 1;
    return list(type);
  };
  await using target = await temporaryFolder('beside');
  const report = await restore(repository, snapshot, `${target.path}/all`);
  expect(report.problems).toHaveLength(8);
  expect(lists).toBeLessThanOrEqual(2);
});
