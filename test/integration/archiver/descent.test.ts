import { beforeEach, describe, expect, test } from 'vitest';
import { deepest } from '../../../src/store/archiver/descent.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { file, folder, type MemoryFolder, memorySource } from '../../support/fixtures/memory-source.ts';
import { openSource } from '../../support/fixtures/open-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import * as hostile from '../../support/servers/hostile-webdav.ts';

let repository: Repository;
beforeEach(async () => {
  repository = await newRepository(openMemoryBackend());
});

const night = async (top: MemoryFolder) => {
  const source = memorySource(top);
  return { ...(await archiveNight(repository, [source])), listed: source.listed };
};
const pathsOf = async (tree: Parameters<typeof contentOf>[1]) => [...(await contentOf(repository, tree)).keys()];

/** A chain of folders with these names, and what is in the last. */
const chain = (names: readonly string[], last: MemoryFolder) =>
  names.reduceRight((inner, name) => folder({ [name]: inner }), last);

describe('a tree of folders', () => {
  const names = (count: number, length: number) => Array.from({ length: count }, (_, n) => `${n}`.padEnd(length, '-'));

  test('is backed up to its deepest folder, and one further down is named', async () => {
    const most = deepest.folders;
    const whole = await night(chain(names(most, 4), folder({ file: file('deep') })));
    expect(whole.problems).toEqual([]);
    expect(await pathsOf(whole.tree)).toContain(`files/${names(most, 4).join('/')}/file`);
    const top = chain(names(most + 1, 4), folder({ file: file('deeper') }));
    const { problems, tree } = await night({ ...top, members: { ...top.members, 'other.txt': file('other') } });
    expect(problems).toMatchObject([{ path: names(most + 1, 4).join('/'), code: 'source/too-deep' }]);
    expect(await pathsOf(tree)).toContain('files/other.txt');
  });

  test('is backed up to its longest path, and a longer one is named', async () => {
    const long = names(11, 249);
    const lengthSoFar = long.join('/').length + 1;
    const last = (length: number) => 'x'.repeat(length - lengthSoFar);
    const { pathBytes } = deepest;
    const at = await night(chain([...long, last(pathBytes)], folder({ file: file('deep') })));
    expect(at.problems).toEqual([]);
    const beyond = await night(chain([...long, `${last(pathBytes - 1)}é`], folder({ file: file('deep') })));
    expect(beyond.problems).toMatchObject([{ code: 'source/too-deep' }]);
  });
});

describe('a folder that holds itself', () => {
  test('ends where its source says that it is one of those above', async () => {
    const a = folder({ 'a.txt': file('a') }, { identity: '7' });
    const b = folder({ a, 'b.txt': file('b') }, { identity: '8' });
    a.members.b = b;
    const { problems, tree } = await night(folder({ a }));
    expect(problems).toMatchObject([{ path: 'a/b/a', code: 'source/loop', kept: false }]);
    expect((await pathsOf(tree)).sort()).toEqual(
      ['', 'a/', 'a/a.txt', 'a/b/', 'a/b/a/', 'a/b/b.txt'].map((path) => `files/${path}`),
    );
  });

  test('may stand twice beside itself, and keeps what it was the night before', async () => {
    const shared = folder({ 'a.txt': file('a') }, { identity: '7' });
    const inner = folder({ 'in.txt': file('in') }, { identity: '9' });
    const first = await night(folder({ one: shared, two: shared, three: folder({ inner }, { identity: '8' }) }));
    expect(first.problems).toEqual([]);
    const { problems, tree } = await night(
      folder({ one: shared, three: folder({ inner: { ...inner, identity: '8' } }, { identity: '8' }) }),
    );
    expect(problems).toMatchObject([{ path: 'three/inner', code: 'source/loop', kept: true }]);
    expect(await pathsOf(tree)).toContain('files/three/inner/in.txt');
  });

  test.each([1, 2, 3, 10])('in %i places ends by listing the same again and again, soon', async (places) => {
    const loop = folder({ 'a.txt': file('a') });
    for (let n = 0; n < places; n++) loop.members[`loop ${n}`] = loop;
    const { problems, listed } = await night(folder({ loop, 'b.txt': file('b') }));
    expect(problems.length).toBeGreaterThan(0);
    for (const { code } of problems) expect(code).toBe('source/loop');
    expect(listed.length).toBeLessThan(2_500);
  });

  test('over two others ends as well', async () => {
    const a = folder({ 'a.txt': file('a') });
    a.members.b = folder({ c: folder({ a, 'c.txt': file('c') }), 'b.txt': file('b') });
    const { problems, listed } = await night(folder({ a }));
    expect(problems).toMatchObject([{ code: 'source/loop' }]);
    expect(listed.length).toBeLessThan(100);
  });

  test('is not one that looks like those above by its names only', async () => {
    const level = (depth: number): MemoryFolder =>
      depth === 0
        ? folder()
        : folder({ src: level(depth - 1), main: folder(), 'a.txt': file(`${depth}`.padEnd(depth)) });
    expect((await night(level(30))).problems).toEqual([]);
  });
});

test('a server that lists the same whatever it is asked, or a link that leads up, is ended at the server too', async () => {
  const loop = hostile.folder(
    { 'a.txt': hostile.file('a') },
    { properties: '<d:resource-id><d:href>urn:uuid:1</d:href></d:resource-id>' },
  );
  loop.children?.set('again', loop);
  const plain = hostile.folder({ 'b.txt': hostile.file('b') });
  plain.children?.set('again', plain);
  const oc = hostile.folder({}, { properties: '<oc:fileid>77</oc:fileid>' });
  oc.children?.set('again', oc);
  await using server = await hostile.startHostileWebdav(
    hostile.folder({ loop, plain, oc }, { properties: '<oc:fileid>1</oc:fileid>' }),
  );
  await using source = openSource(server.url);
  const { problems } = await archiveNight(repository, [source]);
  const seventeen = `plain${'/again'.repeat(16)}`;
  expect(problems.map(({ path, code }) => [path, code]).sort()).toEqual([
    ['loop/again', 'source/loop'],
    ['oc/again', 'source/loop'],
    [seventeen, 'source/loop'],
  ]);
});
