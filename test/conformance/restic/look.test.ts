import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { openBudget } from '../../../src/store/history/budget.ts';
import { differencesOf } from '../../../src/store/history/differences.ts';
import { openHistory } from '../../../src/store/history/history.ts';
import { searchNames } from '../../../src/store/history/search.ts';
import { openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { findPlace } from '../../../src/store/restorer/find-place.ts';
import { tarFolder } from '../../../src/store/restorer/tar.ts';
import { zipFolder } from '../../../src/store/restorer/zip.ts';
import { zipNotes as notes } from '../../../src/web/texts/en.ts';
import { makeUpFiles } from '../../support/fixtures/made-up-files.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { requireProgram } from '../../support/servers/programs.ts';
import { restic, resticProgram, tryRestic } from '../../support/servers/restic.ts';

const run = promisify(execFile);
const password = 'correct horse';
const unzip = requireProgram('unzip', 'apt-get install unzip');

describe.skipIf(resticProgram === undefined)('beside stock restic', () => {
  let top: TemporaryFolder;
  let stock: { repository: string; password: string };
  let repository: Repository;
  let first: string;
  let second: string;
  beforeAll(async () => {
    top = await temporaryFolder('look');
    const files = await mkdtemp(join(top.path, 'files-'));
    const at = (name: string) => join(files, name);
    stock = { repository: join(top.path, 'repository'), password };
    await makeUpFiles(files);
    await restic(stock, 'init');
    const backUp = async () => {
      await restic({ ...stock, cwd: files }, 'backup', '.');
      const saved: { id: string }[] = JSON.parse(await restic(stock, 'snapshots', '--json'));
      return saved.at(-1)?.id ?? '';
    };
    first = await backUp();
    await writeFile(at('text.txt'), 'another text\n');
    await rm(at('deep'), { recursive: true });
    await rm(at('old'));
    await mkdir(at('old'));
    await writeFile(at('old/below'), 'a folder now');
    await mkdir(at('added/below/it'), { recursive: true });
    await writeFile(at('added/below/it/file'), 'new');
    await rm(at('empty file'));
    await symlink('text.txt', at('empty file'));
    await writeFile(at(`many/1/${'long name '.repeat(20)}`), 'a long name');
    second = await backUp();
    repository = await openRepository(openLocalBackend(stock.repository), password);
    await repository.loadIndex();
  });
  afterAll(() => top[Symbol.asyncDispose]());

  const budget = () => openBudget(Number.POSITIVE_INFINITY);
  const treeOf = async (id: string) => (await repository.findSnapshot(id)).snapshot.tree;

  test('we find the same differences between two snapshots, either way round', async () => {
    for (const [from, to] of [
      [first, second],
      [second, first],
    ] as const) {
      const lines = (await restic(stock, 'diff', from, to)).split('\n').filter((line) => /^[-+MTU]+ +\//.test(line));
      const trees = { before: await treeOf(from), after: await treeOf(to) };
      const ours = await Array.fromAsync(
        differencesOf(repository, trees, budget()),
        ({ path, modifier, node }) => `${modifier.padEnd(5)}/${path}${node.type === 'dir' ? '/' : ''}`,
      );
      expect(ours.sort()).toEqual(lines.sort());
      expect(ours.length).toBeGreaterThan(10);
    }
  });

  test.each(['FILE', '4.txt', '漢', 'no such thing'])('we find the same names: %s', async (text) => {
    const history = openHistory(repository, () => expect.unreachable());
    await history.renew();
    const found = await Array.fromAsync(
      searchNames(history, history.snapshots.toReversed(), { text, path: '' }, budget()),
      ({ path, last }) => `${last.id} /${path}`,
    );
    const theirs: { matches: { path: string }[]; snapshot: string }[] = JSON.parse(
      await restic(stock, 'find', '-i', '--json', `*${text}*`),
    );
    const matches = theirs.flatMap(({ matches, snapshot }) => matches.map(({ path }) => ({ path, snapshot })));
    const newest = new Map(
      matches.toSorted((a) => (a.snapshot === first ? -1 : 1)).map(({ path, snapshot }) => [path, snapshot]),
    );
    expect(found.sort()).toEqual(Array.from(newest, ([path, id]) => `${id} ${path}`).sort());
  });

  test.each(['', 'many', 'odd'])('the tar of /%s unpacks to what that of stock unpacks to', async (path) => {
    const [ours, theirs] = [await mkdtemp(join(top.path, 'ours-')), await mkdtemp(join(top.path, 'stock-'))];
    const { snapshot } = await repository.findSnapshot(second);
    const place = await findPlace(repository, snapshot, path);
    if (place.type !== 'root' && place.type !== 'dir') throw new Error('not a folder');
    const parts = await Array.fromAsync(tarFolder(repository, place.subtree, path === '' ? '' : `${path}/`));
    await writeFile(join(top.path, 'ours.tar'), Buffer.concat(parts));
    const { stdout, code } = await tryRestic(stock, 'dump', second, `/${path}`);
    expect(code).toBe(0);
    await writeFile(join(top.path, 'stock.tar'), stdout);
    const listed = [];
    for (const [folder, archive] of [
      [ours, 'ours.tar'],
      [theirs, 'stock.tar'],
    ] as const) {
      await run('tar', ['-xpf', join(top.path, archive), '-C', folder]);
      const format = '%P %y %m %U %G %s %l\\n';
      const { stdout: entries } = await run('find', ['.', '-mindepth', '1', '-printf', format], {
        cwd: folder,
        encoding: 'latin1',
      });
      listed.push(entries.split('\n').sort());
    }
    expect(listed[0]).toEqual(listed[1]);
    expect(listed[0]?.length).toBeGreaterThan(20);
    await run('diff', ['-r', '--no-dereference', ours, theirs]);
  });

  test('a tar has times to the nanosecond', async () => {
    const folder = await mkdtemp(join(top.path, 'times-'));
    const parts = await Array.fromAsync(tarFolder(repository, await treeOf(second), ''));
    await writeFile(join(top.path, 'times.tar'), Buffer.concat(parts));
    await run('tar', ['-xpf', join(top.path, 'times.tar'), '-C', folder]);
    await restic(stock, 'restore', second, '--target', join(top.path, 'times'));
    const times = async (cwd: string) =>
      (await run('find', ['.', '-mindepth', '1', '-printf', '%P %T@\\n'], { cwd, encoding: 'latin1' })).stdout
        .split('\n')
        .sort();
    expect(await times(folder)).toEqual(await times(join(top.path, 'times')));
  });

  test.skipIf(unzip === undefined)(
    'the zip of a folder has the paths of the snapshot, as that of stock has, and a note on names that not every system can hold',
    async () => {
      const { snapshot } = await repository.findSnapshot(second);
      const parts = await Array.fromAsync(zipFolder(repository, snapshot, 'many/1', { notes, prefix: 'many/1/' }));
      await writeFile(join(top.path, 'ours.zip'), Buffer.concat(parts));
      await writeFile(
        join(top.path, 'stock.zip'),
        (await tryRestic(stock, 'dump', '--archive', 'zip', second, '/many/1')).stdout,
      );
      const names = async (zip: string) =>
        (await run('unzip', ['-Z1', join(top.path, zip)])).stdout
          .split('\n')
          .filter((name) => name !== '')
          .sort();
      // The long name ends with a space, which Windows does not allow: that is said beside it.
      expect(await names('ours.zip')).toEqual([notes.odd.file, ...(await names('stock.zip'))].sort());
    },
  );
});
