import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameFromBytes } from '../../../src/file-name.ts';
import { deepest } from '../../../src/store/archiver/descent.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import type { TreeId } from '../../../src/store/format/ids.ts';
import type { FileNode } from '../../../src/store/format/node.ts';
import { openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight } from '../../support/fixtures/archive-night.ts';
import { folderSource } from '../../support/fixtures/folder-source.ts';
import { makeUpFiles } from '../../support/fixtures/made-up-files.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { openSource } from '../../support/fixtures/open-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import {
  startHostileWebdav,
  file as webdavFile,
  folder as webdavFolder,
} from '../../support/servers/hostile-webdav.ts';
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
    // This source knows neither links nor names that are not UTF-8.
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

test.skipIf(resticProgram === undefined)(
  'stock restic restores the deepest folder, the longest path, and names by their bytes',
  async () => {
    await using home = await temporaryFolder('stock-restic-deep');
    const stock = { repository: join(home.path, 'repository'), password };
    const repository = await newRepository(openLocalBackend(stock.repository), password);
    const names = [
      '100% sure.txt',
      'caf\udce9.txt',
      '\udc93\udcfa\udc96{',
      'tab\tname',
      'escape\u001b[31m',
      'line\nbreak',
    ];
    await using server = await startHostileWebdav(
      webdavFolder(Object.fromEntries(names.map((name) => [name, webdavFile(`I am ${name.length}`)]))),
    );
    await using odd = openSource(server.url, { name: 'odd' });
    const levels = Array.from({ length: deepest.folders }, (_, n) => `${n}`.padEnd(14, '-'));
    const [first = '', ...rest] = [...levels.slice(0, -1), 'x'.repeat(deepest.pathBytes - 199 * 15)];
    const last = [first, ...rest].reduceRight(
      (inner, name) => folder({ [name]: inner }),
      folder({ file: file('deep') }),
    );
    const { problems, snapshot } = await archiveNight(repository, [memorySource(last, 'deep'), odd]);
    expect(problems).toEqual([]);
    expect(await restic(stock, 'check')).toContain('no errors were found');
    const target = join(home.path, 'restored');
    await restic(stock, 'restore', snapshot, '--target', target);
    expect(await readFile(join(target, 'deep', first, ...rest, 'file'), 'utf8')).toBe('deep');
    const found = await readdir(Buffer.from(join(target, 'odd')), { encoding: 'buffer' });
    expect(found.map((bytes) => nameFromBytes(bytes)).sort()).toEqual(names.toSorted());
  },
);

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
