import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nameFromBytes } from '../../../../src/file-name.ts';
import { parseId, type TreeId } from '../../../../src/store/format/ids.ts';
import { modeBits, type Node } from '../../../../src/store/format/node.ts';
import { openTargetFolder } from '../../../../src/store/restorer/folder.ts';
import { restore } from '../../../../src/store/restorer/restore.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { type Folder, newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../../support/fixtures/temporary-folder.ts';

const time = '2001-02-03T04:05:06.789Z';
const common = { mtime: time, atime: time, ctime: time, uid: 1000, gid: 1000, links: 1 };
const link = (name: string, linktarget: string): Node => ({
  name,
  type: 'symlink',
  mode: modeBits.symlink + 0o777,
  ...common,
  linktarget,
});

const big = Array.from({ length: 12 }, () => randomBytes(1_500_000));
const folder: Folder = {
  'a.txt': Buffer.from('first'),
  'big.bin': big,
  empty: Buffer.of(),
  sub: { 'b.txt': Buffer.from('second'), deeper: { c: Buffer.from('third') }, nothing: {} },
  ' odd\n"name" % # ? é 😀.': Buffer.from('odd'),
  [nameFromBytes(Buffer.from('ff616263', 'hex'))]: Buffer.from('no UTF-8'),
  link: { node: link('link', 'sub/b.txt') },
};

async function place(content: Folder = folder) {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const written = await writeSnapshot(repository, content);
  const snapshot = await repository.loadSnapshot(written.id);
  const target = await temporaryFolder('restore');
  return {
    backend,
    repository,
    snapshot,
    packs: written.packs,
    path: target.path,
    target,
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}

const corrupt = (backend: MemoryBackend, packId: string, at: number) => {
  const bytes = backend.files.get(`data/${packId.slice(0, 2)}/${packId}`)?.bytes;
  if (bytes !== undefined) bytes[at] = (bytes[at] ?? 0) ^ 1;
};

describe('restoring', () => {
  test('brings back content, names, permissions, times and links', async () => {
    await using here = await place();
    const report = await restore(here.repository, here.snapshot, openTargetFolder(here.path));
    expect(report).toMatchObject({ files: 7, folders: 3, links: 1, problems: [], skipped: [] });
    expect(await readFile(join(here.path, 'a.txt'), 'utf8')).toBe('first');
    expect((await readFile(join(here.path, 'big.bin'))).equals(Buffer.concat(big))).toBe(true);
    expect((await readFile(join(here.path, 'empty'))).length).toBe(0);
    expect(await readFile(join(here.path, 'sub/deeper/c'), 'utf8')).toBe('third');
    expect(await readdir(join(here.path, 'sub/nothing'))).toEqual([]);
    expect(await readFile(join(here.path, ' odd\n"name" % # ? é 😀.'), 'utf8')).toBe('odd');
    const odd = Buffer.concat([Buffer.from(`${here.path}/`), Buffer.from('ff616263', 'hex')]);
    expect(await readFile(odd, 'utf8')).toBe('no UTF-8');
    expect(await readlink(join(here.path, 'link'))).toBe('sub/b.txt');
    for (const [name, mode] of [
      ['a.txt', 0o644],
      ['sub', 0o755],
      ['sub/deeper', 0o755],
    ] as const) {
      const stats = await lstat(join(here.path, name));
      expect([stats.mode & 0o7777, Math.floor(stats.mtimeMs)]).toEqual([mode, Date.parse('2026-01-02T03:04:05.678Z')]);
    }
    expect(Math.floor((await lstat(join(here.path, 'link'))).mtimeMs)).toBe(Date.parse(time));
  });

  test('brings back one folder, or one file', async () => {
    await using here = await place();
    await restore(here.repository, here.snapshot, openTargetFolder(join(here.path, 'new', 'one')), {
      path: '/sub/deeper',
    });
    expect(await readdir(join(here.path, 'new', 'one'))).toEqual(['c']);
    await restore(here.repository, here.snapshot, openTargetFolder(join(here.path, 'two')), { path: 'sub/b.txt' });
    expect(await readdir(join(here.path, 'two'))).toEqual(['b.txt']);
    const missing = restore(here.repository, here.snapshot, openTargetFolder(here.path), { path: 'sub/x' });
    await expect(missing).rejects.toMatchObject({ code: 'repository/no-such-path' });
  });

  test('refuses to overwrite, before it writes anything', async () => {
    await using here = await place();
    await mkdir(join(here.path, 'sub'));
    const refused = restore(here.repository, here.snapshot, openTargetFolder(here.path));
    await expect(refused).rejects.toMatchObject({ code: 'restore/would-overwrite' });
    expect(await readdir(here.path)).toEqual(['sub']);
  });

  test('overwrites when told so, and keeps what is not in the snapshot', async () => {
    await using here = await place();
    await mkdir(join(here.path, 'sub'));
    await writeFile(join(here.path, 'sub', 'mine'), 'mine');
    await writeFile(join(here.path, 'a.txt'), 'older and longer');
    await symlink('/nowhere', join(here.path, 'link'));
    const report = await restore(here.repository, here.snapshot, openTargetFolder(here.path), { overwrite: true });
    expect(report.problems).toEqual([]);
    expect(await readFile(join(here.path, 'a.txt'), 'utf8')).toBe('first');
    expect(await readFile(join(here.path, 'sub', 'mine'), 'utf8')).toBe('mine');
    expect(await readlink(join(here.path, 'link'))).toBe('sub/b.txt');
  });

  test('never follows a link that stands in the target', async () => {
    await using here = await place();
    await using outside = await temporaryFolder('outside');
    await symlink(outside.path, join(here.path, 'sub'));
    const report = await restore(here.repository, here.snapshot, openTargetFolder(here.path), { overwrite: true });
    expect(report.problems).toMatchObject([{ path: 'sub', code: 'restore/not-written' }]);
    expect(await readdir(outside.path)).toEqual([]);
  });

  test('notes an entry that cannot be written, and goes on', async () => {
    await using here = await place({
      ['n'.repeat(300)]: Buffer.from('x'),
      a: Buffer.from('a'),
      z: { z: Buffer.from('z') },
    });
    await mkdir(join(here.path, 'a'));
    const report = await restore(here.repository, here.snapshot, openTargetFolder(here.path), { overwrite: true });
    expect(report.problems.map(({ code, path }) => [code, path.length])).toEqual([
      ['restore/not-written', 1],
      ['restore/not-written', 300],
    ]);
    expect(await readFile(join(here.path, 'z', 'z'), 'utf8')).toBe('z');
  });

  test('notes the damaged file, naming the pack, and restores the rest', async () => {
    await using here = await place();
    const [pack] = here.packs;
    corrupt(here.backend, pack?.id ?? '', (pack?.blobs[5]?.offset ?? 0) + 100);
    const report = await restore(here.repository, here.snapshot, openTargetFolder(here.path));
    expect(report).toMatchObject({ files: 6, problems: [{ path: 'big.bin', code: 'repository/damaged' }] });
    expect(report.problems[0]?.message).toContain(pack?.id);
    expect(await readdir(here.path)).not.toContain('big.bin');
    expect((await readdir(here.path)).filter((name) => name.startsWith('.nightkeep'))).toEqual([]);
    expect(await readFile(join(here.path, 'sub', 'b.txt'), 'utf8')).toBe('second');
  });

  test('notes a damaged folder, and restores the rest', async () => {
    await using here = await place();
    const trees = here.packs[1];
    corrupt(here.backend, trees?.id ?? '', (trees?.blobs[0]?.offset ?? 0) + 20);
    const report = await restore(here.repository, here.snapshot, openTargetFolder(here.path));
    expect(report.problems).toMatchObject([{ path: 'sub/deeper', code: 'repository/damaged' }]);
    expect(await readdir(join(here.path, 'sub'))).toEqual(['b.txt', 'nothing']);
  });

  test.each(['..', '.', '', 'a/../../b', 'nul\0'])('does not let a name leave the target: %j', async (name) => {
    const subtree = parseId<TreeId>('ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8');
    const node: Node = { name, type: 'dir', mode: modeBits.dir + 0o755, ...common, subtree };
    await using here = await place({ empty: {}, x: { node }, safe: Buffer.from('safe') });
    const report = await restore(here.repository, here.snapshot, openTargetFolder(join(here.path, 'in')));
    expect(report.problems).toMatchObject([{ code: 'repository/damaged' }]);
    expect(await readdir(here.path)).toEqual(['in']);
    expect(await readdir(join(here.path, 'in'))).toEqual(['empty', 'safe']);
  });

  test('notes a file whose size is not what its blobs hold', async () => {
    const node: Node = { name: 'x', type: 'file', mode: 0o644, ...common, size: 5, content: [] };
    await using here = await place({ x: { node } });
    const report = await restore(here.repository, here.snapshot, openTargetFolder(here.path));
    expect(report.problems).toMatchObject([{ path: 'x', message: expect.stringContaining('5 bytes') }]);
  });

  test('skips devices and the like, and says so', async () => {
    const node: Node = { name: 'pipe', type: 'fifo', mode: 0o644, ...common };
    await using here = await place({ pipe: { node } });
    expect((await restore(here.repository, here.snapshot, openTargetFolder(here.path))).skipped).toEqual(['pipe']);
  });

  test('stops when told', async () => {
    await using here = await place();
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(restore(here.repository, here.snapshot, openTargetFolder(here.path), { signal })).rejects.toThrow(
      'stopped',
    );
  });
});
