import { execFile } from 'node:child_process';
import { chmod, chown, lchown, link, lstat, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import type { TreeId } from '../../../src/store/format/ids.ts';
import type { Node } from '../../../src/store/format/node.ts';
import { decodeTree } from '../../../src/store/format/tree.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { setExactly } from '../../../src/store/restorer/exact-attributes.ts';
import { findPlace } from '../../../src/store/restorer/find-place.ts';
import { restore } from '../../../src/store/restorer/restore.ts';
import { makeUpFiles } from '../../support/fixtures/made-up-files.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { treeIdOf } from '../../support/fixtures/tree-id.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';

const run = promisify(execFile);
const password = 'correct horse';

/** Every entry below a tree, but for what differs between two copies of it on a disk. */
async function everyNode(
  repository: Repository,
  tree: TreeId,
  folder = '',
): Promise<(Partial<Node> & { path: string })[]> {
  const all: (Partial<Node> & { path: string })[] = [];
  for (const node of (await repository.loadTree(tree)).nodes) {
    const { inode: _, device_id: __, atime: ___, ctime: ____, ...kept } = node;
    if ('subtree' in kept) Reflect.deleteProperty(kept, 'subtree');
    all.push({ ...kept, path: folder + node.name });
    if (node.type === 'dir') all.push(...(await everyNode(repository, node.subtree, `${folder}${node.name}/`)));
  }
  return all;
}

/** What no WebDAV server has: times to the nanosecond, extended attributes, special modes, owners, several names of one file, holes. */
async function addWhatSourcesLack(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  await link(at('text.txt'), at('many/0/the same'));
  await chmod(at('old'), 0o4750);
  await chmod(at('many/3'), 0o1777);
  await chmod(at('many/4/4.txt'), 0o400);
  if (process.getuid?.() === 0)
    await Promise.all([chown(at('many/5/5.txt'), 12, 34), lchown(at('broken link'), 56, 78)]);
  const extended = [
    { name: 'user.plain', value: Buffer.from('text') },
    { name: 'user.odd', value: Buffer.from('00ff', 'hex') },
  ];
  const times = (nanoseconds: number, seconds = 1_600_000_000) => {
    const moment = { seconds, nanoseconds };
    return { atime: moment, mtime: moment };
  };
  const failed = await setExactly([
    { path: at('text.txt'), extended, times: times(123_456_789) },
    { path: at('many/2/2.txt'), extended: [], times: times(1) },
    { path: at('many/6/6.txt'), extended: [], times: times(999_999_999, -1_000_000_000) },
    { path: at('broken link'), extended: [], times: times(987_654_321) },
    { path: at('many/1'), extended: extended.slice(0, 1), times: times(7) },
  ]);
  expect(failed).toEqual([]);
}

describe.skipIf(resticProgram === undefined)('what stock restic wrote', () => {
  let top: TemporaryFolder;
  let files: string;
  let stock: { repository: string; password: string };
  beforeAll(async () => {
    top = await temporaryFolder('conformance');
    files = await mkdtemp(join(top.path, 'files-'));
    stock = { repository: join(top.path, 'repository'), password };
    await makeUpFiles(files);
    await addWhatSourcesLack(files);
    await restic(stock, 'init');
    await restic({ ...stock, cwd: files }, 'backup', '.', '--host', 'laptop');
    await restic({ ...stock, cwd: files }, 'backup', '.', '--host', 'laptop', '--tag', 'second');
  });
  afterAll(() => top[Symbol.asyncDispose]());

  const opened = async (): Promise<Repository> => {
    const repository = await openRepository(openLocalBackend(stock.repository), password);
    await repository.loadIndex();
    return repository;
  };

  test('opens, and every byte of it is checked', async () => {
    const report = await checkRepository(await openRepository(openLocalBackend(stock.repository), password), {
      readData: 'all',
    });
    expect(report).toMatchObject({ findings: [], snapshots: 2 });
    expect(report.packsRead).toBe(report.packs);
  });

  test('lists its snapshots as it does itself', async () => {
    const repository = await opened();
    const ours = await Array.fromAsync(repository.listSnapshots());
    const theirs: { id: string; time: string }[] = JSON.parse(await restic(stock, 'snapshots', '--json'));
    expect(ours.map(({ id, snapshot }) => [id, snapshot.time])).toEqual(theirs.map(({ id, time }) => [id, time]));
    expect(ours[1]?.snapshot).toMatchObject({ hostname: 'laptop', tags: ['second'], parent: ours[0]?.id });
  });

  test('is restored as stock restores it: names, content, links, permissions, owners, times and extended attributes', async () => {
    const repository = await opened();
    const { id, snapshot } = await repository.findSnapshot('latest');
    const [ours, theirs] = [join(top.path, 'restored'), join(top.path, 'restored by stock')];
    const report = await restore(repository, snapshot, ours);
    expect(report).toMatchObject({ problems: [], skipped: [], inexact: 0 });
    await restic(stock, 'restore', id, '--target', theirs);
    await run('diff', ['-r', '--no-dereference', files, ours]);
    const seen = [];
    for (const folder of [files, ours, theirs]) {
      await restic({ ...stock, cwd: folder }, 'backup', '.', '--host', 'judge', '--tag', folder);
      const judge = await opened();
      const { snapshot: backedUp, id: latest } = await judge.findSnapshot('latest');
      seen.push(await everyNode(judge, backedUp.tree));
      await restic(stock, 'forget', latest);
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[1]).toEqual(seen[2]);
    expect(seen[0]?.some(({ extended_attributes: extended }) => extended?.length === 2)).toBe(true);
    expect(seen[0]?.filter(({ links }) => links === 2)).toHaveLength(2);
  });

  test.skipIf(process.getuid?.() !== 0)('brings back pipes and devices as stock does', async () => {
    const special = await mkdtemp(join(top.path, 'special-'));
    const at = (name: string) => join(special, name);
    await run('mkfifo', ['-m', '640', at('pipe')]);
    await run('mknod', ['-m', '600', at('null'), 'c', '1', '3']);
    await run('mknod', ['-m', '660', at('disk'), 'b', '259', '70000']);
    await chown(at('disk'), 12, 34);
    const failed = await setExactly(
      ['pipe', 'null', 'disk'].map((name) => {
        const moment = { seconds: 1_600_000_000, nanoseconds: 123_456_789 };
        return { path: at(name), extended: [], times: { atime: moment, mtime: moment } };
      }),
    );
    expect(failed).toEqual([]);
    await restic({ ...stock, cwd: special }, 'backup', '.', '--host', 'special');
    const repository = await opened();
    const { id, snapshot } = await repository.findSnapshot('latest');
    const [ours, theirs] = [join(top.path, 'special by us'), join(top.path, 'special by stock')];
    const report = await restore(repository, snapshot, ours);
    expect(report).toMatchObject({ specials: 3, problems: [], skipped: [], inexact: 0 });
    await restic(stock, 'restore', id, '--target', theirs);
    await restic(stock, 'forget', id);
    const seen = async (folder: string) => {
      const names = await readdir(folder);
      const stats = await Promise.all(names.map((name) => lstat(join(folder, name), { bigint: true })));
      return stats.map(({ mode, uid, gid, rdev, mtimeNs }, n) => [names[n], mode, uid, gid, rdev, mtimeNs]);
    };
    expect(await seen(ours)).toEqual(await seen(theirs));
    expect(await seen(ours)).toEqual(await seen(special));
  });

  test('has links among what is listed', async () => {
    const repository = await opened();
    const { snapshot } = await repository.findSnapshot('latest');
    const place = await findPlace(repository, snapshot, 'deep');
    const { nodes } = await repository.loadTree((place as { subtree: TreeId }).subtree);
    expect(nodes.map(({ name, type }) => [name, type])).toEqual([
      ['a', 'dir'],
      ['link', 'symlink'],
    ]);
  });

  test('has trees that we would have written to the byte', async () => {
    const repository = await opened();
    const trees = [...repository.index.packs()].flatMap(({ blobs }) => blobs.filter(({ type }) => type === 'tree'));
    expect(trees.length).toBeGreaterThan(15);
    for (const { id } of trees) {
      expect(treeIdOf(decodeTree(await repository.loadBlob('tree', id as TreeId)))).toBe(id);
    }
  });

  test('opens with a password that stock adds, and the other way round', async () => {
    await using passwords = await temporaryFolder('password');
    const file = join(passwords.path, 'new');
    await writeFile(file, 'added by stock');
    await restic(stock, 'key', 'add', '--new-password-file', file);
    const repository = await openRepository(openLocalBackend(stock.repository), 'added by stock');
    await repository.addKey('added by us', { clock: systemClock(), username: 'nightkeep' });
    expect(JSON.parse(await restic({ ...stock, password: 'added by us' }, 'snapshots', '--json'))).toHaveLength(2);
  });

  test('does not open with a wrong password', async () => {
    const wrong = openRepository(openLocalBackend(stock.repository), 'wrong');
    await expect(wrong).rejects.toMatchObject({ code: 'repository/wrong-password' });
  });
});
