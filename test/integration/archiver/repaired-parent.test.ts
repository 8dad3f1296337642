import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { AppError } from '../../../src/errors.ts';
import { pathOf } from '../../../src/store/backend/backend.ts';
import { sealBlob } from '../../../src/store/format/blob.ts';
import { idOf, type SnapshotId, type TreeId } from '../../../src/store/format/ids.ts';
import { encodeTree } from '../../../src/store/format/tree.ts';
import { repairPacks } from '../../../src/store/repairer/repair-packs.ts';
import { type RepairSnapshotsOptions, repairSnapshots } from '../../../src/store/repairer/repair-snapshots.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf, nodeAt } from '../../support/fixtures/archive-night.ts';
import { failingAt } from '../../support/fixtures/failing-backend.ts';
import { type MemoryBackend, openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { file, folder, type MemoryFolder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository, writePack } from '../../support/fixtures/repository.ts';

const clock = systemClock();
const texts = { 'a.txt': 'alpha', 'share/b.txt': 'beta', 'share/inner/c.txt': 'gamma' };
let backend: MemoryBackend;
let top: MemoryFolder;
let first: { tree: TreeId; snapshot: SnapshotId };
beforeEach(async () => {
  backend = openMemoryBackend();
  const inner = folder({ 'c.txt': file('gamma') }, { validator: 'inner-1' });
  const share = folder({ 'b.txt': file('beta'), inner }, { validator: 'share-1' });
  top = folder({ 'a.txt': file('alpha'), share }, { validator: 'top-1' });
  first = await archiveNight(await newRepository(backend), [memorySource(top)]);
});

const open = async (where = backend as Repository['backend']) => {
  const repository = await openRepository(where, 'pw');
  await repository.loadIndex();
  return repository;
};
const repair = async (options: Partial<RepairSnapshotsOptions> = {}, where?: Repository['backend']) =>
  Array.fromAsync(repairSnapshots(await open(where), { clock, ...options }));
const findings = async () => (await checkRepository(await openRepository(backend, 'pw'), { readData: 'all' })).findings;
const textsOf = async (tree: TreeId) => {
  const content = await contentOf(await open(), tree);
  return Object.fromEntries([...content].map(([path, bytes]) => [path.replace(/^files\//, ''), bytes.toString()]));
};

/** Loses this blob: the others of its pack are kept in another. */
async function lose(type: 'data' | 'tree', id: string): Promise<void> {
  const repository = await open();
  const kept = [];
  for (const pack of [...repository.index.packs()].filter(({ blobs }) => blobs.some((blob) => blob.id === id)))
    for (const { type: kind, id: other } of pack.blobs)
      if (other !== id)
        kept.push(sealBlob(repository.masterKey, kind, await repository.loadBlob(kind, other as never), other));
  const gone = [...repository.index.packs()].filter(({ blobs }) => blobs.some((blob) => blob.id === id));
  if (kept.length > 0) await repository.saveIndex([await writePack(repository, kept)]);
  for (const { id: pack } of gone) backend.files.delete(pathOf('data', pack));
  await repairPacks(await openRepository(backend, 'pw'), [], { allMayBeGone: true });
  expect((await open()).index.has(type, id as never)).toBe(false);
}

const idAt = async (path: string) => {
  const node = await nodeAt(await open(), first.tree, `files/${path}`);
  return node.type === 'file' ? (node.content[0] ?? '') : node.type === 'dir' ? node.subtree : '';
};

describe('repaired snapshots', () => {
  test('leave out what is lost, keep the rest, and stand beside the originals until these are to go', async () => {
    await lose('data', await idAt('share/b.txt'));
    const lost = { id: first.snapshot, isLost: false, filesLost: 1, foldersLost: 0 };
    expect(await repair({ dryRun: true })).toEqual([{ ...lost, repaired: null }]);
    expect(backend.files.has(pathOf('snapshot', first.snapshot))).toBe(true);
    const [done] = await repair();
    expect(done).toMatchObject(lost);
    const saved = await (await open()).loadSnapshot(done?.repaired as SnapshotId);
    expect(saved).toMatchObject({ original: first.snapshot, tags: ['repaired'] });
    expect(await textsOf(saved.tree)).toEqual({
      'a.txt': 'alpha',
      'share/': '',
      'share/inner/': '',
      'share/inner/c.txt': 'gamma',
      '': '',
    });
    expect(await repair()).toEqual([]);
    expect(await repair({ forget: true })).toEqual([{ ...lost, repaired: done?.repaired }]);
    expect(await findings()).toEqual([]);
  });

  test.each(['', 'share', 'share/inner'])('of a lost folder %j hold an empty one', async (path) => {
    await lose(
      'tree',
      await idAt(path === '' ? '.' : path).catch(
        async () => ((await nodeAt(await open(), first.tree, 'files')) as { subtree: string }).subtree,
      ),
    );
    const [done] = await repair({ forget: true });
    expect(done).toMatchObject({ isLost: false, foldersLost: 1 });
    expect(await findings()).toEqual([]);
  });

  test('of a snapshot with nothing left there are none, and it goes only where that is asked for', async () => {
    await lose('tree', first.tree);
    expect(await repair()).toMatchObject([{ isLost: true, repaired: null }]);
    expect(backend.files.has(pathOf('snapshot', first.snapshot))).toBe(true);
    expect(await repair({ forget: true })).toMatchObject([{ isLost: true, repaired: null }]);
    expect(await findings()).toEqual([]);
  });

  test('are whole wherever their making ends, and are made by the next try', async () => {
    await lose('data', await idAt('share/inner/c.txt'));
    const files = new Map(backend.files);
    for (const act of ['saves', 'removes'] as const)
      for (const when of ['before', 'after'] as const)
        for (let n = 1; ; n++) {
          backend.files.clear();
          for (const [path, one] of files) backend.files.set(path, one);
          const failing = failingAt(backend, { act, when, n });
          const ended = await repair({ forget: true }, failing.backend).catch((error: unknown) => error);
          if (!(ended instanceof AppError)) break;
          const snapshots = await Array.fromAsync((await open()).listSnapshots());
          expect(snapshots.length, `${act} ${when} ${n}`).toBeGreaterThan(0);
          await repair({ forget: true });
          expect(await findings(), `${act} ${when} ${n}`).toEqual([]);
          expect(await Array.fromAsync((await open()).listSnapshots())).toHaveLength(1);
        }
  });

  test.each(['share/b.txt', 'share/inner/c.txt', 'share/inner', 'share', 'a.txt'])(
    'do not keep the next night from bringing %s again, though the server says that nothing changed',
    async (path) => {
      const isFile = path.endsWith('.txt');
      await lose(isFile ? 'data' : 'tree', await idAt(path));
      await repair({ forget: true });
      const night = await archiveNight(await open(), [memorySource(top)]);
      expect(await textsOf(night.tree)).toMatchObject(texts);
      expect(night.problems).toEqual([]);
      expect(await findings()).toEqual([]);
    },
  );

  test('of stock restic, which leaves the rest of a file under its name, are not taken for what the server has', async () => {
    const repository = await open();
    const rewrite = async (id: TreeId): Promise<TreeId> => {
      const { nodes } = await repository.loadTree(id);
      const changed = [];
      for (const node of nodes)
        if (node.type === 'dir') changed.push({ ...node, subtree: await rewrite(node.subtree) });
        else changed.push(node.type === 'file' ? { ...node, content: [], size: 0 } : node);
      const bytes = encodeTree({ nodes: changed });
      const pack = await writePack(repository, [sealBlob(repository.masterKey, 'tree', bytes)]);
      await repository.saveIndex([pack]);
      repository.index.insertPack(pack.id, pack.blobs);
      return idOf<TreeId>(bytes);
    };
    const snapshot = await repository.loadSnapshot(first.snapshot);
    await repository.saveSnapshot({ ...snapshot, tree: await rewrite(snapshot.tree), original: first.snapshot });
    await repository.forgetSnapshot(first.snapshot);
    const night = await archiveNight(await open(), [memorySource(top)], { listAll: true });
    expect(await textsOf(night.tree)).toMatchObject(texts);
  });
});
