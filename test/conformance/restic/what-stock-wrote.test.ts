import { execFile } from 'node:child_process';
import { lstat, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import type { TreeId } from '../../../src/store/format/ids.ts';
import { decodeTree, treeIdOf } from '../../../src/store/format/tree.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { findPlace } from '../../../src/store/restorer/find-place.ts';
import { openTargetFolder } from '../../../src/store/restorer/folder.ts';
import { restore } from '../../../src/store/restorer/restore.ts';
import { makeUpFiles } from '../../support/fixtures/made-up-files.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';

const run = promisify(execFile);
const password = 'correct horse';

const lstatIn = (folder: string, name: Buffer) => lstat(Buffer.concat([Buffer.from(`${folder}/`), name]));

/** Names as bytes, each ended by a zero. */
function* namesIn(list: Buffer): Generator<Buffer> {
  for (let at = 0, end = list.indexOf(0); end >= 0; at = end + 1, end = list.indexOf(0, at))
    yield list.subarray(at, end);
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

  test('is restored: names, content, links, permissions and times', async () => {
    const repository = await opened();
    const { snapshot } = await repository.findSnapshot('latest');
    const target = join(top.path, 'restored');
    const report = await restore(repository, snapshot, openTargetFolder(target));
    expect(report).toMatchObject({ problems: [], skipped: [] });
    await run('diff', ['-r', '--no-dereference', files, target]);
    const { stdout: names } = await run('find', [files, '-mindepth', '1', '-printf', '%P\\0'], { encoding: 'buffer' });
    for (const name of namesIn(names)) {
      const [before, after] = await Promise.all([lstatIn(files, name), lstatIn(target, name)]);
      expect(after.mode).toBe(before.mode);
      expect(Math.abs(after.mtimeMs - before.mtimeMs)).toBeLessThan(0.001);
    }
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
