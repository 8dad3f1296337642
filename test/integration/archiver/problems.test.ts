import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { AppError, type ErrorCode } from '../../../src/errors.ts';
import { archive } from '../../../src/store/archiver/archiver.ts';
import { openArchiveTarget } from '../../../src/store/repository/archive-target.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import {
  file,
  folder,
  type MemoryFolder,
  type MemorySource,
  memorySource,
} from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';

describe('a night with problems', () => {
  let repository: Repository;
  let top: MemoryFolder;
  let source: MemorySource;
  beforeEach(async () => {
    repository = await newRepository(openMemoryBackend());
    top = folder({ 'a.txt': file('alpha'), deep: folder({ 'b.txt': file('beta') }) });
  });
  const night = () => {
    source = memorySource(top);
    return archiveNight(repository, [source]);
  };
  const changed = () => new AppError('source/changed', 'It changed.', { retry: { afterMs: 0 } });
  const fault = (code: ErrorCode) => new AppError(code, `It is ${code}.`);
  const texts = async (tree: Parameters<typeof contentOf>[1]) =>
    Object.fromEntries([...(await contentOf(repository, tree))].map(([path, bytes]) => [path, bytes.toString()]));

  test.each(['source/forbidden', 'source/unavailable', 'source/malformed', 'source/refused-redirect'] as const)(
    'leaves a file out that is %s, and says so',
    async (code) => {
      top.members['a.txt'] = file('alpha', { fault: () => fault(code) });
      const { tree, problems, entries } = await night();
      expect(problems).toEqual([{ root: 'files', path: 'a.txt', code, message: `It is ${code}.`, kept: false }]);
      expect(await texts(tree)).not.toHaveProperty('files/a.txt');
      expect(entries).toBe(1);
    },
  );

  test('keeps last night’s version of a file that cannot be read', async () => {
    await night();
    top.members['a.txt'] = file('new text', { fault: () => fault('source/forbidden') });
    const { tree, problems, summary, seen } = await night();
    expect(problems).toMatchObject([{ path: 'a.txt', kept: true }]);
    expect(seen).toMatchObject({ read: 0, unchanged: 1, kept: 1, gone: 0 });
    expect(await texts(tree)).toHaveProperty('files/a.txt', 'alpha');
    expect(summary.total_files_processed).toBe(2);
    top.members['a.txt'] = file('new text');
    expect(await texts((await night()).tree)).toHaveProperty('files/a.txt', 'new text');
  });

  test('keeps a file that is not found while its folder, listed again once, still names it', async () => {
    for (const name of ['b.txt', 'c.txt']) top.members[name] = file(name);
    await night();
    for (const name of ['a.txt', 'b.txt', 'c.txt'])
      top.members[name] = file('another text', { fault: () => fault('source/not-found') });
    const { tree, problems, seen } = await night();
    const message = 'Its folder lists it, but it is not found when it is requested.';
    expect(problems).toMatchObject([1, 2, 3].map(() => ({ code: 'source/not-found', message, kept: true })));
    expect(await texts(tree)).toMatchObject({ 'files/a.txt': 'alpha', 'files/b.txt': 'b.txt' });
    expect(seen).toMatchObject({ kept: 3, gone: 0 });
    expect(source.listed.filter((path) => path === '')).toHaveLength(2);
  });

  test('leaves out, without a problem, a file that its folder no longer names when it is listed again', async () => {
    await night();
    const vanish = () => {
      delete top.members['a.txt'];
      return fault('source/not-found');
    };
    top.members['a.txt'] = file('alpha 2', { fault: vanish });
    const { tree, problems, seen } = await night();
    expect(problems).toEqual([]);
    expect(seen).toMatchObject({ gone: 1, kept: 0 });
    expect(await texts(tree)).not.toHaveProperty('files/a.txt');
  });

  test('keeps a file that is not found where its folder cannot be listed again', async () => {
    await night();
    const vanish = () => {
      top.fault = fault('source/unavailable');
      return fault('source/not-found');
    };
    top.members['a.txt'] = file('alpha 2', { fault: vanish });
    const { tree, problems } = await night();
    expect(problems).toMatchObject([{ path: 'a.txt', code: 'source/not-found', kept: true }]);
    expect(await texts(tree)).toHaveProperty('files/a.txt', 'alpha');
  });

  test.each(['source/unavailable', 'source/too-slow'] as const)(
    'ends the run where 32 files in a row are %s and the root is as well',
    async (code) => {
      const bad = () => {
        top.fault = fault(code);
        return fault(code);
      };
      top.members = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`f${n}`, file('x', { fault: bad })]));
      await expect(night()).rejects.toMatchObject({ code });
      expect(source.opened.length).toBeLessThan(60);
    },
  );

  test('opens a file once more that changes while it is read', async () => {
    top.members['a.txt'] = file('alpha', { breaks: (time) => (time === 1 ? changed() : undefined) });
    const { tree, problems } = await night();
    expect(problems).toEqual([]);
    expect(await texts(tree)).toHaveProperty('files/a.txt', 'alpha');
    expect(source.opened.filter((path) => path === 'a.txt')).toHaveLength(2);
  });

  test.each([
    ['that changes each time after three readings', changed, 3],
    ['that its source refuses for good after one', () => fault('source/changed'), 1],
  ])('gives a file up %s', async (_, breaks, readings) => {
    top.members['a.txt'] = file('alpha', { breaks });
    const { problems } = await night();
    expect(problems).toMatchObject([{ path: 'a.txt', code: 'source/changed' }]);
    expect(source.opened.filter((path) => path === 'a.txt')).toHaveLength(readings);
  });

  test('does not take a body of another length than the server said', async () => {
    top.members['a.txt'] = file('alpha', { reading: { size: 4 } });
    expect((await night()).problems).toMatchObject([{ path: 'a.txt', code: 'source/changed' }]);
  });

  test('keeps the tree of a folder that cannot be listed, so that nothing looks deleted', async () => {
    await night();
    const deep = top.members.deep as MemoryFolder;
    deep.fault = fault('source/forbidden');
    const { tree, problems, seen } = await night();
    expect(problems).toMatchObject([{ path: 'deep', code: 'source/forbidden', kept: true, folder: true }]);
    expect(await texts(tree)).toHaveProperty('files/deep/b.txt', 'beta');
    expect(seen).toMatchObject({ read: 0, unchanged: 1, kept: 1, gone: 0, folders: 0 });
  });

  test('makes an empty folder of one that could never be listed', async () => {
    const deep = top.members.deep as MemoryFolder;
    deep.fault = fault('source/malformed');
    const { tree, problems } = await night();
    expect(problems).toMatchObject([{ path: 'deep', code: 'source/malformed' }]);
    expect(Object.keys(await texts(tree)).sort()).toEqual(['files/', 'files/a.txt', 'files/deep/']);
  });

  test('keeps a folder that is not found while the folder above still names it', async () => {
    await night();
    (top.members.deep as MemoryFolder).fault = fault('source/not-found');
    const { tree, problems, seen } = await night();
    expect(problems).toMatchObject([{ path: 'deep', code: 'source/not-found', kept: true }]);
    expect(await texts(tree)).toHaveProperty('files/deep/b.txt', 'beta');
    expect(seen).toMatchObject({ unchanged: 1, kept: 1, gone: 0 });
  });

  test('leaves a folder out that is gone, and counts what was in it', async () => {
    await night();
    const listing = memorySource(top);
    const list: MemorySource['list'] = async (member, signal) => {
      if (member.location === 'deep') delete top.members.deep;
      return listing.list(member, signal);
    };
    const { tree, problems, seen } = await archiveNight(repository, [{ ...listing, list }]);
    expect(problems).toEqual([]);
    expect(Object.keys(await texts(tree)).sort()).toEqual(['files/', 'files/a.txt']);
    expect(seen).toMatchObject({ unchanged: 1, kept: 0, gone: 1 });
  });

  test.each(['source/not-found', 'source/forbidden', 'source/malformed', 'source/unavailable'] as const)(
    'ends when the root is %s, which may pass, and says what was asked',
    async (code) => {
      await night();
      top.fault = fault(code);
      const message = `Nothing was backed up from memory:files: It is ${code}.`;
      await expect(night()).rejects.toMatchObject({ code, message, retry: { afterMs: 0 } });
      expect(await Array.fromAsync(repository.listSnapshots())).toHaveLength(1);
    },
  );

  test('ends when the root is listed and nothing in it can be read, though all of it could be kept', async () => {
    await night();
    top.members['a.txt'] = file('alpha 2', { fault: () => fault('source/forbidden') });
    (top.members.deep as MemoryFolder).fault = fault('source/forbidden');
    await expect(night()).rejects.toMatchObject({ code: 'source/forbidden', retry: { afterMs: 0 } });
    (top.members.deep as MemoryFolder).fault = undefined;
    expect((await night()).problems).toMatchObject([{ path: 'a.txt', kept: true }]);
  });

  test('ends when all that the root lists is of no use', async () => {
    top.members = {};
    top.problems = [{ path: 'odd', code: 'source/malformed', message: 'A name that is not allowed.' }];
    await expect(night()).rejects.toMatchObject({ code: 'source/malformed' });
  });

  test('takes a root that is empty for what it is, and counts what is gone', async () => {
    await night();
    top.members = {};
    const { tree, problems, seen } = await night();
    expect(problems).toEqual([]);
    expect(Object.keys(await texts(tree))).toEqual(['files/']);
    expect(seen).toMatchObject({ read: 0, unchanged: 0, kept: 0, gone: 2 });
  });

  test('counts a file as gone whose name is a folder now', async () => {
    await night();
    top.members['a.txt'] = folder({ 'a.txt': file('alpha') });
    top.members.deep = file('no folder any more');
    expect((await night()).seen).toMatchObject({ read: 2, gone: 2 });
  });

  test('keeps what a listing names in a problem, and what stands beside it as it is', async () => {
    await night();
    const message = 'The server does not let this be read. (HTTP 403)';
    const refused = { code: 'source/forbidden' as const, message };
    top.members = { 'c.txt': file('new') };
    top.problems = ['a.txt', 'deep', 'never seen'].map((name) => ({ path: name, name, ...refused }));
    const { tree, problems, seen } = await night();
    expect(problems.map(({ path, kept }) => [path, kept])).toEqual([
      ['a.txt', true],
      ['deep', true],
      ['never seen', false],
    ]);
    expect(await texts(tree)).toMatchObject({
      'files/a.txt': 'alpha',
      'files/deep/b.txt': 'beta',
      'files/c.txt': 'new',
    });
    expect(seen).toMatchObject({ read: 1, kept: 2, gone: 0 });
  });

  test('keeps, and names, all that an incomplete listing does not name', async () => {
    await night();
    top.members = { 'c.txt': file('new') };
    top.isIncomplete = true;
    const { tree, problems, seen } = await night();
    expect(problems).toMatchObject([
      { path: 'a.txt', code: 'source/malformed', kept: true },
      { path: 'deep', code: 'source/malformed', kept: true, folder: true },
    ]);
    expect(await texts(tree)).toMatchObject({
      'files/a.txt': 'alpha',
      'files/deep/b.txt': 'beta',
      'files/c.txt': 'new',
    });
    expect(seen).toMatchObject({ kept: 2, gone: 0 });
    top.isIncomplete = false;
    expect((await night()).seen).toMatchObject({ kept: 0, gone: 2 });
  });

  test('passes on the problems of a listing', async () => {
    top.problems = [{ path: 'odd', code: 'source/malformed', message: 'A name that is not allowed.' }];
    expect((await night()).problems).toEqual([{ root: 'files', ...top.problems[0], kept: false }]);
  });

  test('does not lose the folder to a bad name', async () => {
    const listing = memorySource(top);
    const bad = { kind: 'entry' as const, name: 'a/b', location: 'a.txt' };
    const twin = { kind: 'entry' as const, name: 'a.txt', location: 'a.txt' };
    const list: MemorySource['list'] = async (member, signal) => {
      const { members, problems } = await listing.list(member, signal);
      return { members: member.location === '' ? [...members, bad, twin] : members, problems };
    };
    const { problems, tree } = await archiveNight(repository, [{ ...listing, list }]);
    expect(problems.map(({ path, code }) => [path, code])).toEqual([
      ['a/b', 'source/malformed'],
      ['a.txt', 'source/malformed'],
    ]);
    expect(await texts(tree)).toHaveProperty('files/a.txt', 'alpha');
  });

  test('ends when the server refuses the token, and keeps what it has', async () => {
    for (let n = 0; n < 100; n++) top.members[`f${n}`] = file(`text ${n}`);
    top.members.z = file('z', { fault: () => fault('source/unauthorized') });
    await expect(night()).rejects.toMatchObject({ code: 'source/unauthorized' });
    expect(await Array.fromAsync(repository.listSnapshots())).toEqual([]);
    expect(repository.index.size).toBeGreaterThan(50);
    const indexes = await Array.fromAsync(repository.listIndexes());
    expect(indexes.flatMap(({ packs }) => packs.flatMap(({ blobs }) => blobs)).length).toBe(repository.index.size);
    delete top.members.z;
    expect((await night()).summary.data_blobs).toBeLessThan(60);
  });

  test('ends when the server is away', async () => {
    for (let n = 0; n < 100; n++) top.members[`f${n}`] = file(`${n}`, { fault: () => fault('source/unavailable') });
    const gone = memorySource(top);
    let lists = 0;
    const list: MemorySource['list'] = async (member, signal) => {
      if (member.location === '' && lists++ > 0) throw fault('source/unavailable');
      return gone.list(member, signal);
    };
    await expect(archiveNight(repository, [{ ...gone, list }])).rejects.toMatchObject({ code: 'source/unavailable' });
  });

  test('goes on when only a part of the server is away', async () => {
    for (let n = 0; n < 100; n++) top.members[`f${n}`] = file(`${n}`, { fault: () => fault('source/unavailable') });
    const { problems, entries } = await night();
    expect(problems).toHaveLength(100);
    expect(entries).toBe(2);
  });

  test('ends with a fault that is not the source’s', async () => {
    top.members['a.txt'] = file('alpha', { fault: () => new TypeError('a bug') });
    await expect(night()).rejects.toThrow('a bug');
  });

  test('stops at once when it is told to, with the reason it is given', async () => {
    const ending = new AbortController();
    const reason = new AppError('repository/lost-lock', 'The lock is lost.');
    for (let n = 0; n < 500; n++) top.members[`f${n}`] = file(`text ${n}`);
    const content = async function* () {
      yield Buffer.from('begin');
      ending.abort(reason);
      throw new Error('The transfer was cut.');
    };
    top.members.slow = { kind: 'file', content };
    const stopped = memorySource(top);
    await expect(archiveNight(repository, [stopped], { signal: ending.signal })).rejects.toBe(reason);
    const before = repository.index.size;
    await new Promise(setImmediate);
    expect(repository.index.size).toBe(before);
    expect(await Array.fromAsync(repository.backend.list('snapshot'))).toEqual([]);
  });

  test('ends, and does not wait for ever, when a sealing thread cannot live', async () => {
    for (let n = 0; n < 40; n++) top.members[`f${n}`] = file(Buffer.alloc(1_000_000, n));
    const clock = systemClock();
    const target = openArchiveTarget(repository, clock);
    const index = { ...target.index, module: 'file:///nowhere/index.ts' };
    const { signal } = new AbortController();
    const night = archive({ sources: [memorySource(top)], repository: { ...target, index }, clock, signal });
    await expect(night).rejects.toThrow('nowhere');
  });

  test('does not begin when it is told to stop before', async () => {
    source = memorySource(top);
    await expect(archiveNight(repository, [source], { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow(
      'no',
    );
    expect(source.listed).toEqual([]);
  });
});
