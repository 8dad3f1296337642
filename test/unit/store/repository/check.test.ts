import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sealBlob } from '../../../../src/store/format/blob.ts';
import type { DataId } from '../../../../src/store/format/ids.ts';
import { parseId } from '../../../../src/store/format/ids.ts';
import type { FileNode } from '../../../../src/store/format/node.ts';
import { encodeTree } from '../../../../src/store/format/tree.ts';
import { checkRepository } from '../../../../src/store/repository/check.ts';
import { openRepository } from '../../../../src/store/repository/repository.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { type Folder, newRepository, writePack, writeSnapshot } from '../../../support/fixtures/repository.ts';

const folder: Folder = {
  'a.txt': Buffer.from('first'),
  sub: { 'b.txt': Buffer.from('second'), deep: { 'c.bin': [randomBytes(900), randomBytes(800)] }, empty: {} },
  nothing: Buffer.of(),
};

async function written() {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const snapshot = await writeSnapshot(repository, folder);
  const [data, trees] = snapshot.packs;
  if (data === undefined || trees === undefined) throw new Error('no packs');
  return { backend, repository, ...snapshot, data, trees };
}

const fileOf = (backend: MemoryBackend, packId: string) => {
  const path = `data/${packId.slice(0, 2)}/${packId}`;
  const bytes = backend.files.get(path)?.bytes;
  if (bytes === undefined) throw new Error('no such pack');
  return { path, bytes };
};
const flip = (bytes: Buffer, at: number) => {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
};
const check = async (backend: MemoryBackend, options = {}) =>
  checkRepository(await openRepository(backend, 'pw'), options);

describe('check', () => {
  test('finds nothing wrong with a repository that is whole', async () => {
    const { backend } = await written();
    expect(await check(backend, { readData: 'all' })).toMatchObject({
      findings: [],
      snapshots: 1,
      packs: 2,
      packsRead: 2,
    });
    expect(await check(backend)).toMatchObject({ findings: [], packsRead: 0, bytesRead: 0 });
  });

  test('finds nothing missing of a snapshot that another program writes meanwhile', async () => {
    const { backend } = await written();
    let isWritten = false;
    const beside: MemoryBackend = {
      ...backend,
      async *list(type) {
        if (type === 'snapshot' && !isWritten) {
          isWritten = true;
          await writeSnapshot(await openRepository(backend, 'pw'), { own: Buffer.from('of a laptop') });
        }
        yield* backend.list(type);
      },
    };
    expect(await check(beside, { readData: 'all' })).toMatchObject({ findings: [], snapshots: 2, packsRead: 4 });
  });

  test('asks the store for the trees of folders beside each other together', async () => {
    const backend = openMemoryBackend();
    const folders = Array.from({ length: 60 }, (_, number) => [`${number}`, { file: Buffer.from(`${number}`) }]);
    await writeSnapshot(await newRepository(backend), Object.fromEntries(folders));
    let loads = 0;
    const counting = {
      ...backend,
      load: (...[type, ...rest]: Parameters<MemoryBackend['load']>) => {
        loads += type === 'data' ? 1 : 0;
        return backend.load(type, ...rest);
      },
    };
    const files: string[] = [];
    const { findings } = await checkRepository(await openRepository(counting, 'pw'), {
      onFile: ({ name }) => files.push(name),
    });
    expect(findings).toEqual([]);
    expect(files).toHaveLength(60);
    expect(loads).toBeLessThan(10);
  });

  test('names the pack in which one byte of a blob was changed, and the file it hurts', async () => {
    const { backend, id, data } = await written();
    flip(fileOf(backend, data.id).bytes, (data.blobs[2]?.offset ?? 0) + 20);
    expect((await check(backend)).findings).toEqual([]);
    expect((await check(backend, { readData: 'all' })).findings).toMatchObject([
      {
        kind: 'pack-damaged',
        packId: data.id,
        blobs: [{ id: data.blobs[2]?.id }],
        files: [{ snapshot: id, path: '/sub/deep/c.bin' }],
      },
    ]);
  });

  test('names a pack whose header was changed, though all its files are whole', async () => {
    const { backend, data } = await written();
    const { bytes } = fileOf(backend, data.id);
    flip(bytes, bytes.length - 30);
    const { findings } = await check(backend, { readData: 'all' });
    expect(findings).toMatchObject([{ kind: 'pack-damaged', packId: data.id, files: [] }]);
  });

  test('names a pack that is missing, and all files it held', async () => {
    const { backend, data } = await written();
    backend.files.delete(fileOf(backend, data.id).path);
    const { findings } = await check(backend);
    expect(findings).toMatchObject([{ kind: 'pack-missing', packId: data.id }]);
    expect(findings[0]?.files?.map(({ path }) => path)).toEqual(['/a.txt', '/sub/b.txt', '/sub/deep/c.bin']);
  });

  test('names a pack that was cut short, and only the files beyond the cut', async () => {
    const { backend, data } = await written();
    const { path, bytes } = fileOf(backend, data.id);
    const cut = bytes.subarray(0, (data.blobs[1]?.offset ?? 0) + 10);
    backend.files.set(path, { type: 'data', name: data.id, bytes: cut });
    const { findings } = await check(backend);
    expect(findings).toMatchObject([{ kind: 'pack-size', packId: data.id }]);
    expect(findings[0]?.files?.map((file) => file.path)).toEqual(['/sub/b.txt', '/sub/deep/c.bin']);
  });

  test('names the folder whose tree is damaged', async () => {
    const { backend, trees } = await written();
    flip(fileOf(backend, trees.id).bytes, (trees.blobs[0]?.offset ?? 0) + 20);
    const { findings } = await check(backend);
    expect(findings).toMatchObject([{ kind: 'tree-damaged', packId: trees.id, files: [{ path: '/sub/deep/' }] }]);
  });

  test('tells of damaged index and snapshot files, and of what is missing then', async () => {
    const { backend } = await written();
    const index = [...backend.files.values()].find(({ type }) => type === 'index');
    flip(index?.bytes ?? Buffer.of(), 20);
    const { findings } = await check(backend);
    expect(findings.map(({ kind }) => kind)).toEqual(['file-damaged', 'blob-missing']);
    expect(findings[0]?.message).toContain(index?.name);
    const snapshot = [...backend.files.values()].find(({ type }) => type === 'snapshot');
    flip(snapshot?.bytes ?? Buffer.of(), 20);
    expect((await check(backend)).findings.map(({ kind }) => kind)).toEqual(['file-damaged', 'file-damaged']);
  });

  test('reads a thousand of very many key files that somebody put there, and says how many there are', async () => {
    const { backend } = await written();
    const strangers = 130_000;
    for (let number = 0; number < strangers; number++) {
      const name = number.toString(16).padStart(64, '0');
      backend.files.set(`keys/${name}`, { type: 'key', name, bytes: Buffer.of() });
    }
    const { findings } = await check(backend);
    expect(findings).toHaveLength(1_001);
    expect(findings.at(-1)).toMatchObject({ kind: 'key-damaged', more: strangers - 1_000 });
  });

  test('offers no file for a sample that is not what it says', async () => {
    const backend = openMemoryBackend();
    const repository = await newRepository(backend);
    const { packs } = await writeSnapshot(repository, { whole: randomBytes(5_000) });
    const content = Array<DataId>(1_000).fill(packs[0]?.blobs[0]?.id as DataId);
    const time = '2026-01-02T03:04:05Z';
    const common = { type: 'file', mode: 420, mtime: time, atime: time, ctime: time, uid: 0, gid: 0 } as const;
    await writeSnapshot(repository, { endless: { node: { ...common, name: 'endless', size: 5_000, content } } });
    const offered: string[] = [];
    await check(backend, { onFile: ({ name }: FileNode) => offered.push(name) });
    expect(offered).toEqual(['whole']);
  });

  test('tells of a file that needs a blob which is nowhere, and of one with the wrong size', async () => {
    const backend = openMemoryBackend();
    const repository = await newRepository(backend);
    const { packs } = await writeSnapshot(repository, { a: Buffer.from('a') });
    const content = packs[0]?.blobs[0]?.id as DataId;
    const time = '2026-01-02T03:04:05Z';
    const file: FileNode = {
      name: 'x',
      type: 'file',
      mode: 420,
      mtime: time,
      atime: time,
      ctime: time,
      uid: 0,
      gid: 0,
      size: 2,
      content: [content],
    };
    const lost = { ...file, name: 'y', content: [parseId<DataId>('ab'.repeat(32))] };
    await writeSnapshot(repository, { x: { node: file }, y: { node: lost } });
    const { findings } = await check(backend);
    expect(findings.map(({ kind }) => kind).sort()).toEqual(['blob-missing', 'tree-damaged']);
    expect(findings.find(({ kind }) => kind === 'blob-missing')?.files).toMatchObject([{ path: '/y' }]);
  });

  test('hints at trees that are not canonical and packs that mix types', async () => {
    const backend = openMemoryBackend();
    const repository = await newRepository(backend);
    const tree = sealBlob(repository.masterKey, 'tree', encodeTree({ nodes: [] }).subarray(0, -1));
    const data = sealBlob(repository.masterKey, 'data', Buffer.from('x'));
    await repository.saveIndex([await writePack(repository, [tree, data])]);
    await repository.saveSnapshot({ time: '2026-01-02T03:04:05Z', tree: tree.id, paths: ['/'] });
    const { findings } = await check(backend, { readData: 'all' });
    expect(findings.map(({ kind, severity }) => [kind, severity])).toEqual([
      ['pack-mixed', 'hint'],
      ['tree-not-canonical', 'hint'],
    ]);
  });

  test('reads every pack once when all parts are read in turn, and a share of them by percent', async () => {
    const { backend, repository } = await written();
    for (let n = 0; n < 20; n++) await writeSnapshot(repository, { n: Buffer.from(`content ${n}`) });
    let read = 0;
    for (let part = 1; part <= 7; part++) read += (await check(backend, { readData: { part, of: 7 } })).packsRead;
    expect(read).toBe(42);
    const values = Array.from({ length: 42 }, (_, n) => n / 42);
    const half = await check(backend, { readData: { percent: 50 }, random: () => values.pop() ?? 0 });
    expect(half.packsRead).toBe(21);
  });
});
