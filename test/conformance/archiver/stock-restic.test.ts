import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import type { TreeId } from '../../../src/store/format/ids.ts';
import type { FileNode } from '../../../src/store/format/node.ts';
import { openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight } from '../../support/fixtures/archive-night.ts';
import { folderSource } from '../../support/fixtures/folder-source.ts';
import { makeUpFiles } from '../../support/fixtures/made-up-files.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';

const run = promisify(execFile);
const password = 'pw';

describe.skipIf(resticProgram === undefined)('stock restic on a night of ours', () => {
  let home: TemporaryFolder;
  let files: string;
  let stock: { repository: string; password: string };
  let repository: Repository;
  let snapshot: string;
  beforeAll(async () => {
    home = await temporaryFolder('stock-restic');
    files = join(home.path, 'files');
    await mkdir(files);
    await makeUpFiles(files);
    // Sources know neither links nor names that are not UTF-8.
    await run('find', [files, '-type', 'l', '-delete']);
    await rm(Buffer.concat([Buffer.from(`${files}/odd/`), Buffer.from('ff6ec3289f', 'hex')]));
    stock = { repository: join(home.path, 'repository'), password };
    repository = await newRepository(openLocalBackend(stock.repository), password);
    ({ snapshot } = await archiveNight(repository, [folderSource('files', files)]));
  });
  afterAll(() => home[Symbol.asyncDispose]());

  test('finds no error in any byte', async () => {
    expect(await restic(stock, 'check', '--read-data')).toContain('no errors were found');
  });

  test('restores every file as it was', async () => {
    const target = join(home.path, 'restored');
    await restic(stock, 'restore', snapshot, '--target', target, '--verify');
    await run('diff', ['-r', files, join(target, 'files')]);
  });

  test('adds no data when it backs the same files up, because it cuts them where we do', async () => {
    const before = dataBlobs(repository);
    await restic({ ...stock, cwd: home.path }, 'backup', 'files', '--host', 'laptop');
    const after = await openRepository(openLocalBackend(stock.repository), password);
    await after.loadIndex();
    expect(dataBlobs(after)).toEqual(before);
    const theirs = await after.findSnapshot('latest');
    const ours = await after.findSnapshot(snapshot);
    expect(await contents(after, theirs.snapshot.tree)).toEqual(await contents(after, ours.snapshot.tree));
  });
});

function dataBlobs(repository: Repository): string[] {
  const blobs = [...repository.index.packs()].flatMap((pack) => pack.blobs);
  return blobs.flatMap(({ type, id }) => (type === 'data' ? [id] : [])).sort();
}

/** Size and blobs of each file, by path. */
async function contents(repository: Repository, tree: TreeId): Promise<[string, Pick<FileNode, 'size' | 'content'>][]> {
  const { nodes } = await repository.loadTree(tree);
  const parts = await Promise.all(
    nodes.map(async (node): Promise<Awaited<ReturnType<typeof contents>>> => {
      if (node.type === 'file') return [[node.name, { size: node.size, content: node.content }]];
      if (node.type !== 'dir') return [];
      return (await contents(repository, node.subtree)).map(([path, file]) => [`${node.name}/${path}`, file]);
    }),
  );
  return parts.flat();
}
