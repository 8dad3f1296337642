import { beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import type { Source } from '../../../src/sources/source.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';

let repository: Repository;
beforeEach(async () => {
  repository = await newRepository(openMemoryBackend());
});

/** A source that offers these folders of one tree as its roots. */
function spaces(names: readonly string[], extra: Partial<Source> = {}): Source {
  const contents = ['mine', 'team', 'shared'].map((name) => [name, folder({ 'a.txt': file(`of ${name}`) })]);
  const source = memorySource(folder(Object.fromEntries(contents)));
  const roots = names.map((name) => ({
    name,
    address: `memory:${name}`,
    collection: { kind: 'collection', name, location: name } as const,
  }));
  return { ...source, roots: async () => roots, ...extra };
}

const night = async (...sources: Source[]) => {
  const archived = await archiveNight(repository, sources);
  const texts = [...(await contentOf(repository, archived.tree))].filter(([path]) => !path.endsWith('/'));
  return { ...archived, texts: Object.fromEntries(texts.map(([path, bytes]) => [path, bytes.toString()])) };
};

describe('the roots of a source', () => {
  test('fill a folder each at the top of the snapshot, which names them', async () => {
    const { tops, missing, problems, texts } = await night(spaces(['mine', 'team']));
    expect([tops, missing, problems]).toEqual([['mine', 'team'], [], []]);
    expect(texts).toEqual({ 'mine/a.txt': 'of mine', 'team/a.txt': 'of team' });
    const [snapshot] = await Array.fromAsync(repository.listSnapshots());
    expect(snapshot?.snapshot.paths).toEqual(['/mine', '/team']);
  });

  test('that are not offered any more keep their tree, night after night, and are named', async () => {
    await night(spaces(['mine', 'team', 'shared']));
    for (let n = 0; n < 2; n++) {
      const { tops, missing, problems, texts, seen } = await night(spaces(['mine']));
      expect(tops.toSorted()).toEqual(['mine', 'shared', 'team']);
      expect(missing.toSorted()).toEqual(['shared', 'team']);
      expect(problems.map(({ root, path, code, kept }) => [root, path, code, kept]).sort()).toEqual([
        ['shared', '', 'source/root-gone', true],
        ['team', '', 'source/root-gone', true],
      ]);
      expect(texts).toMatchObject({ 'team/a.txt': 'of team', 'shared/a.txt': 'of shared' });
      expect(seen).toMatchObject({ kept: 2, gone: 0 });
    }
    const { missing, problems } = await night(spaces(['mine', 'team', 'shared']));
    expect([missing, problems]).toEqual([[], []]);
  });

  test('of a source that is not asked any more are kept as well', async () => {
    await night(spaces(['mine']), spaces(['team']));
    expect((await night(spaces(['mine']))).missing).toEqual(['team']);
  });

  test('end the run where one cannot be listed, with the address of that one', async () => {
    const list: Source['list'] = async ({ location }) => {
      if (location === 'team') throw new AppError('source/forbidden', 'The server does not let this be read.');
      return { members: [], problems: [] };
    };
    await expect(night(spaces(['mine', 'team'], { list }))).rejects.toMatchObject({
      code: 'source/forbidden',
      message: 'Nothing was backed up from memory:team: The server does not let this be read.',
    });
  });

  test.each([
    ['none is offered', async () => [], 'source/not-found'],
    [
      'they cannot be found',
      async () => {
        throw new AppError('source/unavailable', 'The server does not answer.');
      },
      'source/unavailable',
    ],
  ])('end the run where %s, and the last snapshot stays what it was', async (_, roots, code) => {
    await night(spaces(['mine']));
    await expect(night(spaces([], { roots }))).rejects.toMatchObject({
      code,
      message: expect.stringMatching('^Nothing was backed up from memory:files: '),
      retry: { afterMs: 0 },
    });
    expect(await Array.fromAsync(repository.listSnapshots())).toHaveLength(1);
  });
});
