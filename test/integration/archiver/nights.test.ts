import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { zeroSeen } from '../../../src/store/archiver/tally.ts';
import { findAttribute } from '../../../src/store/format/node.ts';
import { isSafeName } from '../../../src/store/format/tree.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf, nodeAt } from '../../support/fixtures/archive-night.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import {
  file,
  folder,
  type MemoryFolder,
  type MemorySource,
  memorySource,
} from '../../support/fixtures/memory-source.ts';
import { oddNames } from '../../support/fixtures/odd-names.ts';
import { newRepository } from '../../support/fixtures/repository.ts';

describe('a night', () => {
  let repository: Repository;
  let top: MemoryFolder;
  let source: MemorySource;
  beforeEach(async () => {
    repository = await newRepository(openMemoryBackend());
    top = folder({
      'a.txt': file('alpha'),
      empty: file(''),
      nothing: folder(),
      deep: folder({ deeper: folder({ 'b.txt': file('beta'), 'c.txt': file('gamma') }) }),
    });
    source = memorySource(top);
  });
  const again = () => {
    source = memorySource(top);
    return archiveNight(repository, [source]);
  };

  test('keeps every file and folder, the empty ones too', async () => {
    const { tree, entries, seen, problems, summary } = await again();
    const content = await contentOf(repository, tree);
    expect(Object.fromEntries([...content].map(([path, bytes]) => [path, bytes.toString()]))).toEqual({
      'files/': '',
      'files/a.txt': 'alpha',
      'files/deep/': '',
      'files/deep/deeper/': '',
      'files/deep/deeper/b.txt': 'beta',
      'files/deep/deeper/c.txt': 'gamma',
      'files/empty': '',
      'files/nothing/': '',
    });
    expect({ entries, seen, problems }).toEqual({
      entries: 4,
      seen: { ...zeroSeen(), read: 4, folders: 3, bytes: 14 },
      problems: [],
    });
    expect(summary).toMatchObject({
      files_new: 4,
      files_changed: 0,
      files_unmodified: 0,
      dirs_new: 4,
      data_blobs: 3,
      tree_blobs: 5,
      total_files_processed: 4,
      total_bytes_processed: 14,
    });
  });

  test('reads nothing that is unchanged, and makes the same tree', async () => {
    const first = await again();
    const second = await again();
    expect(source.opened).toEqual([]);
    expect(second.tree).toBe(first.tree);
    expect(second.seen).toMatchObject({ read: 0, unchanged: 4, kept: 0, gone: 0 });
    expect(second.summary).toMatchObject({
      files_new: 0,
      files_unmodified: 4,
      dirs_unmodified: 4,
      dirs_changed: 0,
      data_blobs: 0,
      tree_blobs: 0,
      data_added: 0,
      total_files_processed: 4,
      total_bytes_processed: 14,
    });
  });

  test('reads what changed only', async () => {
    await again();
    top.members['a.txt'] = file('alpha, longer');
    const { tree, summary } = await again();
    expect(source.opened).toEqual(['a.txt']);
    expect((await contentOf(repository, tree)).get('files/a.txt')?.toString()).toBe('alpha, longer');
    expect(summary).toMatchObject({
      files_new: 0,
      files_changed: 1,
      files_unmodified: 3,
      dirs_changed: 1,
      dirs_unmodified: 3,
    });
  });

  test('leaves out what was deleted', async () => {
    await again();
    delete top.members['a.txt'];
    delete top.members.deep;
    const { tree, problems, seen } = await again();
    expect([...(await contentOf(repository, tree)).keys()].sort()).toEqual(['files/', 'files/empty', 'files/nothing/']);
    expect(problems).toEqual([]);
    expect(seen).toMatchObject({ read: 0, unchanged: 1, gone: 3 });
  });

  test('always reads an entry without a validator, and calls it unmodified when its content is', async () => {
    const { validator: _, ...rest } = file('alpha');
    top.members['a.txt'] = rest;
    const first = await again();
    const second = await again();
    expect(source.opened).toEqual(['a.txt']);
    expect(second.tree).toBe(first.tree);
    expect(second.summary).toMatchObject({ files_unmodified: 4, files_changed: 0, data_blobs: 0 });
  });

  test('reads an entry again whose size differs while its validator does not', async () => {
    await again();
    top.members['a.txt'] = file('alphabet', { validator: '"alpha-5"' });
    const { tree } = await again();
    expect((await contentOf(repository, tree)).get('files/a.txt')?.toString()).toBe('alphabet');
  });

  test('knows an entry again whose size is always listed wrongly, and reads it when another one is listed', async () => {
    const wrong = (size: number) => file('alpha', { size, validator: 'r1', reading: { size: 5, validator: 'r1' } });
    top.members['a.txt'] = wrong(9000);
    await again();
    await again();
    expect(source.opened).toEqual([]);
    top.members['a.txt'] = wrong(9001);
    await again();
    expect(source.opened).toEqual(['a.txt']);
    top.members['a.txt'] = file('alpha', { validator: 'r1' });
    await again();
    expect(source.opened).toEqual(['a.txt']);
  });

  test('believes what the reading says over what the listing said', async () => {
    const modified = new Date('2024-04-04T04:04:04.5Z');
    top.members['a.txt'] = file('alpha', { size: 99, reading: { size: 5, modified, validator: 'newer' } });
    const { tree } = await again();
    const node = await nodeAt(repository, tree, 'files/a.txt');
    expect(node).toMatchObject({ size: 5, mtime: '2024-04-04T04:04:04.5Z', atime: node.mtime, ctime: node.mtime });
    expect(findAttribute(node, 'user.nightkeep.validator')).toBe('newer');
  });

  test('files nothing under a validator that the reading did not give, and reads it again', async () => {
    top.members['a.txt'] = file('page', { validator: 'listed', reading: { size: 4, validator: undefined } });
    const { tree } = await again();
    const node = await nodeAt(repository, tree, 'files/a.txt');
    expect(findAttribute(node, 'user.nightkeep.validator')).toBeUndefined();
    top.members['a.txt'] = file('true', { validator: 'listed' });
    const next = await again();
    expect((await contentOf(repository, next.tree)).get('files/a.txt')?.toString()).toBe('true');
  });

  test('does not pass over a collection with an entry that must be read again', async () => {
    const deep = top.members.deep as MemoryFolder;
    const deeper = deep.members.deeper as MemoryFolder;
    Object.assign(deep, { validator: 'deep-1' });
    Object.assign(deeper, { validator: 'deeper-1' });
    deeper.members['pad.md'] = file('text A', { reading: { validator: undefined } });
    await again();
    deeper.members['pad.md'] = file('text B', { reading: { validator: '"B"' }, validator: '"B"' });
    const { tree } = await again();
    expect((await contentOf(repository, tree)).get('files/deep/deeper/pad.md')?.toString()).toBe('text B');
    await again();
    expect(source.listed).toEqual(['', 'nothing']);
  });

  test('keeps a long validator as its hash, and knows it again', async () => {
    top.members['a.txt'] = file('alpha', { validator: 'v'.repeat(5000) });
    const { tree } = await again();
    const kept = findAttribute(await nodeAt(repository, tree, 'files/a.txt'), 'user.nightkeep.validator');
    expect(kept).toMatch(/^sha256:[0-9a-f]{64}$/);
    await again();
    expect(source.opened).toEqual([]);
  });

  test('passes over a whole collection whose validator is the same, and counts what is in it', async () => {
    const deep = top.members.deep as MemoryFolder;
    deep.validator = 'deep-1';
    const first = await again();
    const second = await again();
    expect(source.listed).toEqual(['', 'nothing']);
    expect(second.tree).toBe(first.tree);
    expect(second.entries).toBe(4);
    deep.validator = 'deep-2';
    await again();
    expect(source.listed).toContain('deep/deeper');
  });

  test('does not pass over a collection in which something could not be read', async () => {
    top.validator = 'top-1';
    const deeper = (top.members.deep as MemoryFolder).members.deeper as MemoryFolder;
    deeper.members['b.txt'] = file('beta', { fault: () => new AppError('source/forbidden', 'No.') });
    expect((await again()).problems).toHaveLength(1);
    deeper.members['b.txt'] = file('beta');
    expect((await again()).entries).toBe(4);
  });

  test('takes the time of a folder from the server, else from its newest member', async () => {
    top.modified = new Date('2021-01-01T00:00:00Z');
    const { tree } = await again();
    expect(await nodeAt(repository, tree, 'files')).toMatchObject({ mtime: '2021-01-01T00:00:00Z' });
    expect(await nodeAt(repository, tree, 'files/deep')).toMatchObject({ mtime: '2020-02-02T02:02:02Z' });
    expect(await nodeAt(repository, tree, 'files/nothing')).toMatchObject({ mtime: '1970-01-01T00:00:00Z' });
  });

  test('reads again what the repository has lost, and so heals it', async () => {
    const first = await again();
    const empty = await newRepository(openMemoryBackend());
    await empty.saveSnapshot({ time: '2026-01-01T00:00:00Z', tree: first.tree, paths: ['/files'] });
    source = memorySource(top);
    const healed = await archiveNight(empty, [source]);
    expect(source.opened).toHaveLength(4);
    expect((await contentOf(empty, healed.tree)).size).toBe(8);
  });

  test('keeps odd names as they are', async () => {
    for (const name of oddNames.filter(isSafeName)) top.members[name] = file(name);
    const { tree, problems } = await again();
    const content = await contentOf(repository, tree);
    for (const name of oddNames.filter(isSafeName)) expect(content.get(`files/${name}`)?.toString()).toBe(name);
    expect(problems).toEqual([]);
  });

  test('stores a blob once, however often and in whichever thread it turns up', async () => {
    const bytes = randomBytes(3_000_000);
    for (let n = 0; n < 40; n++) top.members[`copy ${n}`] = file(bytes);
    for (let n = 0; n < 200; n++) top.members[`small ${n}`] = file('the same');
    source = memorySource(top);
    const { tree, summary } = await archiveNight(repository, [source], { threads: 4 });
    expect((await contentOf(repository, tree)).get('files/copy 39')?.equals(bytes)).toBe(true);
    expect(summary.data_added).toBeLessThan(3_000_000 + 200_000);
    const ids = [...repository.index.packs()].flatMap(({ blobs }) => blobs.map(({ type, id }) => type + id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('starts a thread for much only, and stores a blob once that turns up before and in it', async () => {
    let threads = 0;
    const count = () => {
      threads += 1;
    };
    subscribe('worker_threads', count);
    try {
      await again();
      top.members.little = file('a little more');
      expect((await again()).summary).toMatchObject({ data_blobs: 1, files_new: 1 });
      expect(threads).toBe(0);
      const [small, large] = [randomBytes(100_000), randomBytes(2_000_000)];
      Object.assign(top.members, {
        small: file(small),
        large: file(large),
        same: file(small),
        'same large': file(large),
      });
      const { tree, summary } = await again();
      expect(threads).toBeGreaterThan(0);
      expect(summary.data_added).toBeLessThan(2_200_000);
      const content = await contentOf(repository, tree);
      expect(content.get('files/same')?.equals(small) && content.get('files/same large')?.equals(large)).toBe(true);
    } finally {
      unsubscribe('worker_threads', count);
    }
  });

  test('fills packs with one type of blob each', async () => {
    for (let n = 0; n < 30; n++) top.members[`large ${n}`] = file(randomBytes(2_000_000));
    await again();
    const packs = [...repository.index.packs()];
    expect(packs.length).toBeGreaterThan(3);
    for (const { blobs } of packs) expect(new Set(blobs.map(({ type }) => type)).size).toBe(1);
  });

  test('gives each source a folder of its own', async () => {
    const mail = memorySource(folder({ 'm.eml': file('mail') }), 'mail');
    const { tree } = await archiveNight(repository, [source, mail]);
    expect([...(await contentOf(repository, tree)).keys()]).toEqual(
      expect.arrayContaining(['files/a.txt', 'mail/m.eml']),
    );
  });

  test('never has more requests under way than it may', async () => {
    for (let n = 0; n < 50; n++) top.members[`f${n}`] = folder({ a: file(`a${n}`), b: file(`b${n}`) });
    source = memorySource(top);
    await archiveNight(repository, [source], { requests: 5 });
    expect(source.busiest()).toBeLessThanOrEqual(5);
    expect(source.busiest()).toBeGreaterThan(3);
  });
});
