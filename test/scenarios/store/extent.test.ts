import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type SealedBlob, sealBlob } from '../../../src/store/format/blob.ts';
import type { TreeId } from '../../../src/store/format/ids.ts';
import type { Node } from '../../../src/store/format/node.ts';
import { encodeTree } from '../../../src/store/format/tree.ts';
import { openExtent } from '../../../src/store/restorer/extent.ts';
import { restore } from '../../../src/store/restorer/restore.ts';
import { restoreInOrder } from '../../../src/store/restorer/restore-in-order.ts';
import { tarFolder } from '../../../src/store/restorer/tar.ts';
import { zipFolder } from '../../../src/store/restorer/zip.ts';
import { zipNotes as notes } from '../../../src/web/texts/en.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { newRepository, writePack } from '../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

const time = '2026-02-02T03:04:05Z';
const common = { mode: 0o700, mtime: time, atime: time, ctime: time, uid: 0, gid: 0 };
const file = (name: string): Node => ({ ...common, name, type: 'file', size: 0, content: [] });
const folder = (name: string, subtree: TreeId): Node => ({ ...common, name, type: 'dir', subtree });

/** A repository of such trees, from the lowest up, each of which names the one before; and how often one was read. */
async function withTrees(levels: readonly ((below: TreeId) => readonly Node[])[]) {
  const repository = await newRepository(openMemoryBackend());
  const blobs: SealedBlob[] = [];
  let tree = '' as TreeId;
  for (const level of levels) {
    const blob = sealBlob(repository.masterKey, 'tree', encodeTree({ nodes: level(tree) }));
    blobs.push(blob);
    tree = blob.id as TreeId;
  }
  const pack = await writePack(repository, blobs);
  repository.index.insertPack(pack.id, pack.blobs);
  let reads = 0;
  const loadTree = (id: TreeId) => {
    reads += 1;
    return repository.loadTree(id);
  };
  return { repository: { ...repository, loadTree }, snapshot: { tree }, reads: () => reads };
}

const leaf = () => [file('file')];
/** Three folders on each of thirty levels, all of them one: 3 to the power of 30 files. */
const endless = [
  leaf,
  ...Array.from({ length: 30 }, () => (below: TreeId) => ['a', 'b', 'c'].map((name) => folder(name, below))),
];

const mostEntries = 200;
const beyond = expect.stringContaining(`more than ${mostEntries} files and folders`);

const ways: Readonly<
  Record<string, (from: Awaited<ReturnType<typeof withTrees>>, most?: number) => Promise<string[]>>
> = {
  'a zip file': async ({ repository, snapshot }, most) => {
    const told: string[] = [];
    const options = { onLeftOut: (_: string, why: string) => told.push(why), ...(most && { mostEntries: most }) };
    await Array.fromAsync(zipFolder(repository, snapshot, '', { notes, ...options }));
    return told;
  },
  'a tar file': async ({ repository, snapshot }, most) => {
    const told: string[] = [];
    const options = { onLeftOut: (_: string, why: string) => told.push(why), ...(most && { mostEntries: most }) };
    await Array.fromAsync(tarFolder(repository, snapshot.tree, '', options));
    return told;
  },
  'a restore to a server': async ({ repository, snapshot }, most) => {
    const nothing = async () => undefined;
    const target = { makeFolder: nothing, makeLink: nothing, writeFile: nothing };
    const options = { path: '', ...(most && { mostEntries: most }) };
    return (await restoreInOrder(repository, snapshot, target, options)).problems.map(({ message }) => message);
  },
  'a restore to a disk': async ({ repository, snapshot }, most) => {
    await using place = await temporaryFolder('extent');
    const options = most === undefined ? {} : { mostEntries: most };
    const { problems } = await restore(repository, snapshot, `${place.path}/to`, options);
    return problems.map(({ message }) => message);
  },
};

describe.each(Object.entries(ways))('%s', (name, go) => {
  test('of folders that share each other level by level ends, with what is left out', async () => {
    const from = await withTrees(endless);
    const told = await go(from, mostEntries);
    expect(told.length).toBeGreaterThan(10);
    expect(new Set(told)).toEqual(new Set([beyond]));
    expect(from.reads()).toBeLessThan(2 * mostEntries);
  });

  test('goes through as many files and folders as it may, and one more is left out', async () => {
    const two = [leaf, (below: TreeId) => [folder('a', below), folder('b', below)]];
    expect(await go(await withTrees(two), 4)).toEqual([]);
    expect(await go(await withTrees(two), 3)).toEqual([expect.stringContaining('more than 3 files and folders')]);
  });

  test.skipIf(name === 'a restore to a disk')('goes a thousand folders down, and no further', async () => {
    const chain = Array.from({ length: 1_001 }, () => (below: TreeId) => [folder('d', below)]);
    const from = await withTrees([leaf, ...chain]);
    const [next] = (await from.repository.loadTree(from.snapshot.tree)).nodes;
    const tree = next?.type === 'dir' ? next.subtree : expect.unreachable();
    expect(await go({ ...from, snapshot: { tree } })).toEqual([]);
    expect(await go(from)).toEqual([expect.stringContaining('more than 1000 folders down')]);
  });
});

test('a folder beyond is named in the zip file itself, which can be read', async () => {
  const { repository, snapshot } = await withTrees([leaf, (below) => [folder('a', below), folder('b', below)]]);
  const bytes = Buffer.concat(await Array.fromAsync(zipFolder(repository, snapshot, '', { notes, mostEntries: 3 })));
  expect(bytes.includes('NOT RESTORED.txt')).toBe(true);
  expect(bytes.includes('b/: what is in this folder is left out')).toBe(true);
});

test('what a zip file says of itself is as long as somebody may read, with the number of what else there is', async () => {
  const odd = () => Array.from({ length: 20 }, (_, number) => file(`${number}:`.padEnd(60_000, 'x').concat('\\')));
  const { repository, snapshot } = await withTrees([odd]);
  const bytes = Buffer.concat(await Array.fromAsync(zipFolder(repository, snapshot, '', { notes })));
  const text = bytes.subarray(bytes.lastIndexOf('Some systems treat these names'));
  // Each line holds a name as it is and as it is written: 120,003 characters.
  expect(text.toString('latin1', 0, 1_100_000)).toMatch(/^Some[^\n]*\n\n(?:[^\n]+\n){8}And 12 more\.\n/);
});

test('a restore that was ended leaves what it had restored', async () => {
  const { repository, snapshot } = await withTrees([leaf, (below) => [folder('a', below), folder('b', below)]]);
  await using place = await temporaryFolder('extent');
  const report = await restore(repository, snapshot, `${place.path}/to`, { mostEntries: 3 });
  expect(report).toMatchObject({ files: 1, problems: [{ path: 'b', code: 'restore/too-large' }] });
  expect(await readdir(`${place.path}/to/a`)).toEqual(['file']);
});

test('a zip file holds no more names than fit into memory, nor longer ones than its format has', async () => {
  const long = () => Array.from({ length: 64 }, (_, number) => file(`${number}`.padEnd(60_000, 'x')));
  const many = (count: number) => (below: TreeId) =>
    Array.from({ length: count }, (_, number) => folder(`${number}`.padStart(2, '0'), below));
  const zip = async (levels: Parameters<typeof withTrees>[0]) => ways['a zip file']?.(await withTrees(levels));
  // Sixty-nine of them fit.
  expect(await zip([long, many(70)])).toEqual([expect.stringContaining('too much memory')]);
  const named = (length: number) => [() => [file('x'.repeat(length))], (below: TreeId) => [folder('d', below)]];
  expect(await zip(named(65_501))).toEqual([]);
  expect(await zip(named(65_502))).toEqual([expect.stringContaining('longer than a zip file holds')]);
});

test('without a limit any number counts', async () => {
  const { nodesOf } = openExtent({ loadTree: async () => ({ nodes: Array(1e4).fill(file('a')) }) });
  for (let folders = 0; folders < 30; folders++) await nodesOf('' as TreeId, 1);
  await expect(nodesOf('' as TreeId, 1_001)).rejects.toMatchObject({ code: 'restore/too-large' });
});
