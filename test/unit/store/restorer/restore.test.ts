import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { nameFromBytes } from '../../../../src/file-name.ts';
import { sealBlob } from '../../../../src/store/format/blob.ts';
import { parseId, type TreeId } from '../../../../src/store/format/ids.ts';
import { type FileNode, modeBits, type Node, type SpecialNode } from '../../../../src/store/format/node.ts';
import { restore } from '../../../../src/store/restorer/restore.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { type Folder, newRepository, writePack, writeSnapshot } from '../../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../../support/fixtures/temporary-folder.ts';
import { treeIdOf } from '../../../support/fixtures/tree-id.ts';

const run = promisify(execFile);
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

const nanosecondsOf = async (path: string) => (await lstat(path, { bigint: true })).mtimeNs;

const fileNode = (name: string, more: Partial<FileNode> = {}): Node => ({
  name,
  type: 'file',
  mode: 0o644,
  ...common,
  size: 0,
  content: [],
  ...more,
});

const corrupt = (backend: MemoryBackend, packId: string, at: number) => {
  const bytes = backend.files.get(`data/${packId.slice(0, 2)}/${packId}`)?.bytes;
  if (bytes !== undefined) bytes[at] = (bytes[at] ?? 0) ^ 1;
};

describe('restoring', () => {
  test('brings back content, names, permissions, times and links', async () => {
    await using here = await place();
    const report = await restore(here.repository, here.snapshot, here.path);
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
      expect([stats.mode & 0o7777, await nanosecondsOf(join(here.path, name))]).toEqual([mode, 1767323045678000000n]);
    }
    expect(await nanosecondsOf(join(here.path, 'link'))).toBe(981173106789000000n);
  });

  test('brings back one folder, or one file', async () => {
    await using here = await place();
    await restore(here.repository, here.snapshot, join(here.path, 'new', 'one'), {
      path: '/sub/deeper',
    });
    expect(await readdir(join(here.path, 'new', 'one'))).toEqual(['c']);
    await restore(here.repository, here.snapshot, join(here.path, 'two'), { path: 'sub/b.txt' });
    expect(await readdir(join(here.path, 'two'))).toEqual(['b.txt']);
    const missing = restore(here.repository, here.snapshot, here.path, { path: 'sub/x' });
    await expect(missing).rejects.toMatchObject({ code: 'repository/no-such-path' });
  });

  test('refuses to overwrite, before it writes anything', async () => {
    await using here = await place();
    await mkdir(join(here.path, 'sub'));
    const refused = restore(here.repository, here.snapshot, here.path);
    await expect(refused).rejects.toMatchObject({ code: 'restore/would-overwrite' });
    expect(await readdir(here.path)).toEqual(['sub']);
  });

  test.each(['a-file', 'a-file/below'])('names the folder where it cannot be one: %s', async (name) => {
    await using here = await place();
    await writeFile(join(here.path, 'a-file'), 'mine');
    for (const overwrite of [undefined, 'always'] as const) {
      const refused = restore(here.repository, here.snapshot, join(here.path, name), { overwrite });
      await expect(refused).rejects.toMatchObject({
        code: 'restore/not-written',
        message: expect.stringContaining(
          `Could not write ${join(here.path, name)}: something of another kind is there`,
        ),
      });
    }
    expect(await readFile(join(here.path, 'a-file'), 'utf8')).toBe('mine');
  });

  test('overwrites when told so, and keeps what is not in the snapshot', async () => {
    await using here = await place();
    await mkdir(join(here.path, 'sub'));
    await writeFile(join(here.path, 'sub', 'mine'), 'mine');
    await writeFile(join(here.path, 'a.txt'), 'older and longer');
    await symlink('/nowhere', join(here.path, 'link'));
    const report = await restore(here.repository, here.snapshot, here.path, { overwrite: 'always' });
    expect(report.problems).toEqual([]);
    expect(await readFile(join(here.path, 'a.txt'), 'utf8')).toBe('first');
    expect(await readFile(join(here.path, 'sub', 'mine'), 'utf8')).toBe('mine');
    expect(await readlink(join(here.path, 'link'))).toBe('sub/b.txt');
  });

  test('never follows a link that stands in the target', async () => {
    await using here = await place();
    await using outside = await temporaryFolder('outside');
    await symlink(outside.path, join(here.path, 'sub'));
    const report = await restore(here.repository, here.snapshot, here.path, { overwrite: 'always' });
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
    const report = await restore(here.repository, here.snapshot, here.path, { overwrite: 'always' });
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
    const report = await restore(here.repository, here.snapshot, here.path);
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
    const report = await restore(here.repository, here.snapshot, here.path);
    expect(report.problems).toMatchObject([{ path: 'sub/deeper', code: 'repository/damaged' }]);
    expect(await readdir(join(here.path, 'sub'))).toEqual(['b.txt', 'nothing']);
  });

  test.each(['..', '.', '', 'a/../../b', 'nul\0'])('does not let a name leave the target: %j', async (name) => {
    const subtree = parseId<TreeId>('ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8');
    const node: Node = { name, type: 'dir', mode: modeBits.dir + 0o755, ...common, subtree };
    await using here = await place({ empty: {}, x: { node }, safe: Buffer.from('safe') });
    const report = await restore(here.repository, here.snapshot, join(here.path, 'in'));
    expect(report.problems).toMatchObject([{ code: 'repository/damaged' }]);
    expect(await readdir(here.path)).toEqual(['in']);
    expect(await readdir(join(here.path, 'in'))).toEqual(['empty', 'safe']);
  });

  test('notes a file whose size is not what its blobs hold', async () => {
    const node = fileNode('x', { size: 5 });
    await using here = await place({ x: { node } });
    const report = await restore(here.repository, here.snapshot, here.path);
    expect(report.problems).toMatchObject([{ path: 'x', message: expect.stringContaining('5 bytes') }]);
  });

  test('makes pipes, and devices where it may; names sockets, which no program could listen on', async () => {
    const special = (name: string, type: SpecialNode['type'], device?: number): { node: Node } => ({
      node: { name, type, mode: 0o640, ...common, ...(device && { device }) },
    });
    await using here = await place({
      pipe: special('pipe', 'fifo'),
      null: special('null', 'chardev', 0x103),
      disk: special('disk', 'dev', 0x1234_0756),
      socket: special('socket', 'socket'),
    });
    await writeFile(join(here.path, 'pipe'), 'in its place');
    const isRoot = process.geteuid?.() === 0;
    const report = await restore(here.repository, here.snapshot, here.path, { overwrite: 'always' });
    expect(report).toMatchObject({ skipped: ['socket'], specials: isRoot ? 3 : 1 });
    expect(report.problems.map(({ path, message }) => [path, /only root/.test(message)])).toEqual(
      isRoot ? [] : ['disk', 'null'].map((path) => [path, true]),
    );
    const pipe = await lstat(join(here.path, 'pipe'));
    expect([pipe.isFIFO(), pipe.mode & 0o7777, pipe.mtimeMs]).toEqual([true, 0o640, Date.parse(time)]);
    expect(await readdir(here.path)).not.toContain('socket');
    const disk = isRoot ? await lstat(join(here.path, 'disk')) : undefined;
    expect([disk?.isBlockDevice(), disk?.rdev]).toEqual(isRoot ? [true, 0x1234_0756] : [undefined, undefined]);
  });

  test('stops when told', async () => {
    await using here = await place();
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(restore(here.repository, here.snapshot, here.path, { signal })).rejects.toThrow('stopped');
  });

  test('leaves no file in part when it is stopped in the middle', async () => {
    await using here = await place();
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error('stopped'));
    const stopped = restore(here.repository, here.snapshot, here.path, { signal: stop.signal, onProgress });
    await expect(stopped).rejects.toThrow('stopped');
    const left = await readdir(here.path);
    expect(left).not.toContain('big.bin');
    expect(left.filter((name) => name.startsWith('.nightkeep'))).toEqual([]);
    expect(await readFile(join(here.path, 'a.txt'), 'utf8')).toBe('first');
  });

  test.each([
    ['2026-11-26T11:04:17.123456789Z', 1795691057123456789n],
    ['2026-11-26T11:04:17.999999999+01:00', 1795687457999999999n],
    ['2001-02-03T04:05:06.000000001Z', 981173106000000001n],
    ['1970-01-01T00:00:00.5Z', 500000000n],
    ['1969-12-31T23:59:58.75Z', -1250000000n],
    ['1931-05-06T07:08:09.123456789Z', -1219942310876543211n],
    ['2345-06-07T08:09:10.987654321Z', 11847456550987654321n],
  ])('brings back every time to the nanosecond: %s', async (mtime, nanoseconds) => {
    const subtree = treeIdOf({ nodes: [] });
    const dir: Node = { name: 'dir', type: 'dir', mode: modeBits.dir + 0o755, ...common, mtime, subtree };
    const symbolic: Node = { ...link('link', 'nowhere'), mtime };
    await using here = await place({
      file: { node: fileNode('file', { mtime }) },
      dir: { node: dir },
      link: { node: symbolic },
      empty: {},
    });
    const report = await restore(here.repository, here.snapshot, here.path);
    expect(report).toMatchObject({ problems: [], inexact: 0 });
    for (const name of ['file', 'dir', 'link']) expect(await nanosecondsOf(join(here.path, name))).toBe(nanoseconds);
  });

  test('brings back special modes, folders that nobody may enter, and names of one file', async () => {
    const linked = { links: 2, inode: 17, device_id: 3 };
    const locked: Node = {
      name: 'locked',
      type: 'dir',
      mode: modeBits.dir + modeBits.sticky,
      ...common,
      subtree: treeIdOf({ nodes: [] }),
    };
    await using here = await place({
      special: { node: fileNode('special', { mode: 0o755 + modeBits.setuid + modeBits.setgid }) },
      readable: { node: fileNode('readable', { mode: 0o440 }) },
      one: { node: fileNode('one', linked) },
      empty: {},
      two: { node: fileNode('two', linked) },
      locked: { node: locked },
    });
    const report = await restore(here.repository, here.snapshot, here.path);
    expect(report).toMatchObject({ problems: [], files: 4 });
    const [special, readable, one, two, folder] = await Promise.all(
      ['special', 'readable', 'one', 'two', 'locked'].map((name) => lstat(join(here.path, name))),
    );
    expect([special?.mode, readable?.mode, folder?.mode].map((mode) => (mode ?? 0) & 0o7777)).toEqual([
      0o6755, 0o440, 0o1000,
    ]);
    expect([one?.nlink, one?.ino]).toEqual([2, two?.ino]);
    await chmod(join(here.path, 'locked'), 0o700);
  });

  test('leaves holes where zeros were', async () => {
    const zeros = Buffer.alloc(2_000_000);
    const parts = [zeros, randomBytes(300_000), Buffer.concat([randomBytes(100_000), zeros, randomBytes(1)]), zeros];
    await using here = await place({ sparse: parts, holes: [zeros, zeros] });
    await restore(here.repository, here.snapshot, here.path);
    expect((await readFile(join(here.path, 'sparse'))).equals(Buffer.concat(parts))).toBe(true);
    expect((await readFile(join(here.path, 'holes'))).equals(Buffer.alloc(4_000_000))).toBe(true);
    expect((await lstat(join(here.path, 'sparse'))).blocks * 512).toBeLessThan(700_000);
    expect((await lstat(join(here.path, 'holes'))).blocks).toBe(0);
  });

  test('reads each pack once, whatever the order of the files in it', async () => {
    await using here = await place({ b: big.slice(0, 3), a: big.toReversed(), c: { d: big.slice(5, 7) } });
    const load = here.backend.load.bind(here.backend);
    const read: { offset: number; length: number }[] = [];
    here.backend.load = (type, name, range) => {
      if (type === 'data' && name === here.packs[0]?.id && range !== undefined) read.push(range);
      return load(type, name, range);
    };
    await restore(here.repository, here.snapshot, here.path);
    expect((await readFile(join(here.path, 'a'))).equals(Buffer.concat(big.toReversed()))).toBe(true);
    expect((await readFile(join(here.path, 'b'))).equals(Buffer.concat(big.slice(0, 3)))).toBe(true);
    expect((await readFile(join(here.path, 'c/d'))).equals(Buffer.concat(big.slice(5, 7)))).toBe(true);
    const offsets = read.map(({ offset }) => offset);
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    const size = (await here.backend.stat('data', here.packs[0]?.id ?? '')).size;
    expect(read.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(size);
  });

  test('takes a blob that is damaged in one pack from another', async () => {
    await using here = await place({ 'big.bin': big });
    const copy = await writePack(
      here.repository,
      big.map((bytes) => sealBlob(here.repository.masterKey, 'data', bytes)),
    );
    here.repository.index.insertPack(copy.id, copy.blobs);
    const [pack] = here.packs;
    corrupt(here.backend, pack?.id ?? '', (pack?.blobs[5]?.offset ?? 0) + 100);
    expect(await restore(here.repository, here.snapshot, here.path)).toMatchObject({ files: 1, problems: [] });
    expect((await readFile(join(here.path, 'big.bin'))).equals(Buffer.concat(big))).toBe(true);
  });
});

describe('restoring into a folder that holds a part', () => {
  const before = Date.parse('2026-01-02T03:04:05.678Z') / 1000;

  /** All of it, of which one file is gone, one of another content, one of another time, and one of another content and the same time. */
  async function part() {
    const here = await place();
    await restore(here.repository, here.snapshot, here.path);
    const at = (name: string) => join(here.path, name);
    await rm(at('sub/deeper/c'));
    await writeFile(at('.nightkeep-0123456789ab'), 'left by a process that was killed');
    await writeFile(at('a.txt'), 'other');
    await utimes(at('a.txt'), before + 60, before + 60);
    await utimes(at('big.bin'), before - 60, before - 60);
    const { mtimeNs } = await lstat(at('sub/b.txt'), { bigint: true });
    await writeFile(at('sub/b.txt'), 'forged');
    await run('touch', ['-d', `@${mtimeNs / 1_000_000_000n}.${mtimeNs % 1_000_000_000n}`, at('sub/b.txt')]);
    const inodes = async () =>
      Object.fromEntries(
        await Promise.all(['a.txt', 'big.bin', 'sub/b.txt'].map(async (name) => [name, (await lstat(at(name))).ino])),
      );
    const text = (name: string) => readFile(at(name), 'utf8');
    return { ...here, at, inodes, text, [Symbol.asyncDispose]: () => here[Symbol.asyncDispose]() };
  }

  test('always: reads what is there, and writes only what is wrong', async () => {
    await using here = await part();
    const inodes = await here.inodes();
    const report = await restore(here.repository, here.snapshot, here.path, { overwrite: 'always' });
    expect(report).toMatchObject({ problems: [], files: 3, kept: 4 });
    expect([await here.text('a.txt'), await here.text('sub/b.txt')]).toEqual(['first', 'second']);
    expect(await here.text('sub/deeper/c')).toBe('third');
    expect((await here.inodes())['big.bin']).toBe(inodes['big.bin']);
    expect(await nanosecondsOf(here.at('big.bin'))).toBe(1767323045678000000n);
    expect(await readdir(here.path)).not.toContain('.nightkeep-0123456789ab');
  });

  test('if-changed: compares only size and time', async () => {
    await using here = await part();
    const report = await restore(here.repository, here.snapshot, here.path, { overwrite: 'if-changed' });
    expect(report).toMatchObject({ problems: [], files: 2, kept: 5 });
    expect([await here.text('a.txt'), await here.text('sub/b.txt')]).toEqual(['first', 'forged']);
    expect(await here.text('sub/deeper/c')).toBe('third');
  });

  test('if-newer: keeps what is as new or newer', async () => {
    await using here = await part();
    const inodes = await here.inodes();
    const report = await restore(here.repository, here.snapshot, here.path, { overwrite: 'if-newer' });
    expect(report.problems).toEqual([]);
    expect([await here.text('a.txt'), await here.text('sub/b.txt')]).toEqual(['other', 'forged']);
    expect(await here.inodes()).toEqual(inodes);
    expect(await nanosecondsOf(here.at('big.bin'))).toBe(1767323045678000000n);
    expect(await here.text('sub/deeper/c')).toBe('third');
  });

  test('never: writes what is missing, and touches nothing else', async () => {
    await using here = await part();
    const [inodes, time] = [await here.inodes(), await nanosecondsOf(here.at('big.bin'))];
    const report = await restore(here.repository, here.snapshot, here.path, { overwrite: 'never' });
    expect(report).toMatchObject({ problems: [], files: 1, kept: 6, links: 0 });
    expect([await here.text('a.txt'), await here.text('sub/b.txt')]).toEqual(['other', 'forged']);
    expect([await here.inodes(), await nanosecondsOf(here.at('big.bin'))]).toEqual([inodes, time]);
    expect(await here.text('sub/deeper/c')).toBe('third');
  });
});
