import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf, type NightOptions } from '../../support/fixtures/archive-night.ts';
import { type MemoryBackend, openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import {
  file,
  folder,
  type MemoryFile,
  type MemoryFolder,
  type MemorySource,
  memorySource,
} from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';

/** Little enough to be sealed without a thread, which would take most of the time of these tests to start. */
const large = Buffer.alloc(1_000_000, 'a file of several blobs, more or less; ');
let repository: Repository;
let top: MemoryFolder;
let source: MemorySource;
beforeEach(async () => {
  repository = await newRepository(openMemoryBackend());
  top = folder({
    'a.txt': file('alpha'),
    'large.bin': file(large),
    share: folder(
      {
        'b.txt': file('beta'),
        inner: folder({ 'c.txt': file('gamma'), 'd.txt': file('delta') }, { validator: 'inner-1' }),
        other: folder({ 'e.txt': file('epsilon') }, { validator: 'other-1' }),
      },
      { validator: 'share-1' },
    ),
  });
  await night();
});

const night = async (options: NightOptions = {}) => {
  source = memorySource(top);
  return archiveNight(repository, [source], options);
};
/** A sample of these, counted in the order in which they are passed; the top folder's own files come first. */
const checking = (files: number, random = () => 0, more: object = {}): NightOptions => ({
  spotCheck: { files, random, ...more },
});
/** All of them: the sample is larger than what there is. */
const checkingAll = checking(6);
const at = (path: string) =>
  path.split('/').reduce<MemoryFolder | MemoryFile>((item, name) => {
    const member = item.kind === 'folder' ? item.members[name] : undefined;
    if (member === undefined) throw new Error(`There is no ${path}.`);
    return member;
  }, top);
const change = (path: string, content: string) => Object.assign(at(path), { content: Buffer.from(content) });
const texts = async (tree: Parameters<typeof contentOf>[1]) =>
  Object.fromEntries([...(await contentOf(repository, tree))].map(([path, bytes]) => [path, bytes.toString()]));

describe('a spot check', () => {
  test('of what is as it was reads it, says so, and makes the same snapshot', async () => {
    const before = await night();
    expect(source.opened).toEqual([]);
    const checked = await night(checkingAll);
    expect(source.opened.sort()).toEqual(
      ['a.txt', 'large.bin', 'share/b.txt', 'share/inner/c.txt', 'share/inner/d.txt', 'share/other/e.txt'].sort(),
    );
    expect(checked.tree).toBe(before.tree);
    expect(checked.unreliable).toEqual([]);
    expect(checked.seen).toMatchObject({ read: 0, unchanged: 6, checked: 6, restored: 6, passedOver: 0 });
    expect(checked.summary).toMatchObject({ files_unmodified: 6, data_blobs: 0, tree_blobs: 0 });
  });

  test('restores together what lies together in the store', async () => {
    const { backend, index } = repository;
    const packs = [...index.packs()].flatMap(({ id, blobs }) => (blobs[0]?.type === 'data' ? [id] : []));
    const load = vi.spyOn(backend, 'load');
    const { seen } = await night(checking(6, () => 0, { bytes: 1_000 }));
    expect(seen).toMatchObject({ checked: 5, restored: 5 });
    expect(load.mock.calls.filter(([, name]) => packs.some((id) => id === name)).length).toBeLessThan(5);
  });

  test.each([
    ['damaged', (bytes: Buffer) => bytes.fill(0, 0, 64)],
    ['cut', (bytes: Buffer) => bytes.subarray(0, 10)],
    ['gone', () => undefined],
  ])('names the packs of what cannot be restored though the source has it: %s', async (_, damage) => {
    const { backend, index } = repository;
    const [pack = ''] = [...index.packs()].flatMap(({ id, blobs }) => (blobs[0]?.type === 'data' ? [id] : []));
    const files = (backend as MemoryBackend).files;
    const [path = '', kept] = [...files].find(([name]) => name.endsWith(pack)) ?? [];
    const bytes = damage(Buffer.from(kept?.bytes ?? ''));
    if (bytes === undefined || kept === undefined) files.delete(path);
    else files.set(path, { ...kept, bytes });
    const { seen, damagedPacks, problems } = await night(checkingAll);
    expect(damagedPacks).toEqual([pack]);
    expect(seen).toMatchObject({ unchanged: 6, checked: 6 });
    expect(seen.restored).toBeLessThan(6);
    expect(problems).toEqual([]);
  });

  test('of nothing is none, and passes over what it may', async () => {
    const { seen } = await night();
    expect(seen).toMatchObject({ unchanged: 6, checked: 0, folders: 1, passedOver: 1 });
    expect(source.listed).toEqual(['']);
  });

  test('lists a folder that it would pass over, on the way to what is in the sample, and no other', async () => {
    const last = { entries: 1 };
    const { seen } = await night(checking(6, () => 5 / 6, last));
    expect(source.listed).toEqual(['', 'share', 'share/other']);
    expect(source.opened).toEqual(['share/other/e.txt']);
    expect(seen).toMatchObject({ unchanged: 6, checked: 1, folders: 3, passedOver: 1 });
  });

  test('reads each folder of the parent once', async () => {
    const read: string[] = [];
    const { loadBlob, loadBlobs } = repository;
    vi.spyOn(repository, 'loadBlob').mockImplementation((type, id) => {
      if (type === 'tree') read.push(id);
      return loadBlob(type, id);
    });
    vi.spyOn(repository, 'loadBlobs').mockImplementation((type, ids) => {
      if (type === 'tree') read.push(...ids);
      return loadBlobs(type, ids);
    });
    expect((await night(checkingAll)).seen).toMatchObject({ checked: 6, passedOver: 0 });
    expect(read).toHaveLength(new Set(read).size);
    expect(read).toHaveLength(5);
  });

  test('finds a file that changed behind its validator, and has the snapshot take it as it is', async () => {
    change('a.txt', 'other');
    const { tree, unreliable, seen, summary } = await night(checkingAll);
    expect(unreliable).toEqual(['files']);
    expect((await texts(tree))['files/a.txt']).toBe('other');
    expect(seen).toMatchObject({ read: 1, unchanged: 5, checked: 5 });
    expect(summary).toMatchObject({ files_changed: 1 });
  });

  test('finds a large file of which one byte changed', async () => {
    const other = Buffer.from(large);
    other[900_000] = 0;
    Object.assign(at('large.bin'), { content: other });
    expect((await night(checkingAll)).unreliable).toEqual(['files']);
  });

  test.each<[string, (inner: MemoryFolder) => void]>([
    ['has a file more', ({ members }) => Object.assign(members, { 'new.txt': file('new') })],
    ['has one less', ({ members }) => delete members['c.txt']],
    ['has one of another validator', ({ members }) => Object.assign(members, { 'c.txt': file('gamma, longer') })],
    ['has a folder more', ({ members }) => Object.assign(members, { deep: folder({ 'f.txt': file('f') }) })],
    ['has a folder in place of a file', ({ members }) => Object.assign(members, { 'c.txt': folder() })],
  ])('finds a folder that %s though its validator is the same', async (_, bend) => {
    const inner = at('share/inner');
    if (inner.kind === 'folder') bend(inner);
    const { unreliable } = await night(checkingAll);
    expect(unreliable).toEqual(['files']);
    expect((await night({ listAll: true })).unreliable).toEqual([]);
  });

  test.each<[string, () => void]>([
    ['changed with its validator', () => Object.assign(top.members, { 'a.txt': file('alphabet') })],
    [
      'changed between listing and reading',
      () => Object.assign(at('a.txt'), { content: Buffer.from('later'), reading: { size: 5, validator: 'later' } }),
    ],
    [
      'cannot be read at present',
      () => Object.assign(at('a.txt'), { fault: () => new AppError('source/unavailable', 'Not now.') }),
    ],
    ['was read again after it changed', () => Object.assign(at('a.txt'), { breaks: changedOnce })],
    ['has a folder of another validator by its own listing', () => movingFolder()],
  ])('blames nobody for what %s', async (_, happen) => {
    happen();
    const { unreliable, problems, entries } = await night(checkingAll);
    expect({ unreliable, problems, entries }).toEqual({ unreliable: [], problems: [], entries: 6 });
  });

  test.each(['source/unavailable', 'source/too-slow'] as const)(
    'counts what the server does not give at present as not compared, though it is all of it: %s',
    async (code) => {
      const { tree: before } = await night();
      for (const path of [
        'a.txt',
        'large.bin',
        'share/b.txt',
        'share/inner/c.txt',
        'share/inner/d.txt',
        'share/other/e.txt',
      ])
        Object.assign(at(path), { fault: () => new AppError(code, 'Not now.') });
      const { tree, problems, seen } = await night(checkingAll);
      expect({ tree, problems }).toEqual({ tree: before, problems: [] });
      expect(seen).toMatchObject({ unchanged: 6, checked: 0, unchecked: 6, restored: 0 });
      const { seen: later } = await night();
      expect(later).toMatchObject({ checked: 0, unchecked: 0 });
    },
  );

  test.each(['source/forbidden', 'source/malformed', 'source/not-found'] as const)(
    'names what the server lists as unchanged and refuses to give: %s',
    async (code) => {
      Object.assign(at('a.txt'), { fault: () => new AppError(code, 'No.') });
      const { tree, problems, unreliable, seen } = await night(checkingAll);
      expect(problems).toMatchObject([{ path: 'a.txt', code, kept: true }]);
      expect({ unreliable, checked: seen.checked, kept: seen.kept }).toEqual({ unreliable: [], checked: 5, kept: 1 });
      expect(await texts(tree)).toMatchObject({ 'files/a.txt': 'alpha' });
      expect((await night()).problems).toEqual([]);
    },
  );

  test('does not read more than it may', async () => {
    const { seen } = await night(checking(6, () => 0, { bytes: 500_000 }));
    expect(source.opened).not.toContain('large.bin');
    expect(seen).toMatchObject({ unchanged: 6, checked: 5 });
  });

  test('ends with a refused token', async () => {
    Object.assign(at('a.txt'), { fault: () => new AppError('source/unauthorized', 'No.') });
    await expect(night(checkingAll)).rejects.toMatchObject({ code: 'source/unauthorized' });
  });
});

describe('a full walk', () => {
  test('lists every folder, reads nothing that is unchanged, and finds what a folder had hidden', async () => {
    const same = await night({ listAll: true });
    expect(source.listed).toHaveLength(4);
    expect(source.opened).toEqual([]);
    expect(same).toMatchObject({ unreliable: [], seen: { unchanged: 6, folders: 3, passedOver: 0 } });
    Object.assign(at('share/other'), { members: { 'e.txt': file('changed, with another validator') } });
    const found = await night({ listAll: true });
    expect(found.unreliable).toEqual(['files']);
    expect((await texts(found.tree))['files/share/other/e.txt']).toBe('changed, with another validator');
  });
});

describe('a whole reading', () => {
  const readAll = new Set(['files']);

  test('keeps what it had of a version of which less comes now than is listed, in a body without a length', async () => {
    const short = { content: Buffer.from('alp'), size: 5, reading: { size: undefined } };
    Object.assign(at('a.txt'), short);
    for (const options of [{ readAll }, checkingAll]) {
      const { tree, problems } = await night(options);
      expect(problems).toMatchObject([{ path: 'a.txt', code: 'source/malformed', kept: true }]);
      expect(await texts(tree)).toMatchObject({ 'files/a.txt': 'alpha' });
    }
    Object.assign(at('a.txt'), { reading: { size: 3 } });
    const { tree, problems } = await night({ readAll });
    expect([problems, await texts(tree)]).toMatchObject([[], { 'files/a.txt': 'alp' }]);
  });

  test('reads every entry, and finds what changed behind its validator', async () => {
    const same = await night({ readAll });
    expect(source.opened).toHaveLength(6);
    expect(same).toMatchObject({ unreliable: [], seen: { read: 6, unchanged: 0 }, summary: { files_unmodified: 6 } });
    change('share/inner/d.txt', 'other');
    const found = await night({ readAll });
    expect(found.unreliable).toEqual(['files']);
    expect((await texts(found.tree))['files/share/inner/d.txt']).toBe('other');
    expect((await night({ readAll })).unreliable).toEqual([]);
  });

  test('is of one source only', async () => {
    await night({ readAll: new Set(['mail']) });
    expect(source.opened).toEqual([]);
  });
});

function changedOnce(time: number): Error | undefined {
  return time === 1 ? new AppError('source/changed', 'It changed.', { retry: { afterMs: 0 } }) : undefined;
}

/** A file takes another name while the walk is on its way to it: the folders above have other validators by then. */
function movingFolder(): void {
  Object.assign(at('share/other'), { members: { 'e2.txt': file('moved') }, listedItself: 'other-2' });
  Object.assign(at('share'), { listedItself: 'share-2' });
}
