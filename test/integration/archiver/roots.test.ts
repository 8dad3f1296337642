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

  const faulty = (error: AppError) => async () => {
    throw error;
  };
  /** A source with one root, of another name than those of `spaces`. */
  const other = (extra: Partial<Source> = {}, content = 'first') => ({
    ...memorySource(folder({ 'o.txt': file(content) }), 'other'),
    ...extra,
  });
  const away = new AppError('source/unavailable', 'The server does not answer.', { retry: { afterMs: 0 } });

  test.each([
    [
      'cannot be found',
      { roots: faulty(new AppError('source/unauthorized', 'The token is refused.')) },
      'source/unauthorized',
    ],
    ['cannot be listed', { list: faulty(new AppError('source/forbidden', 'Not to be read.')) }, 'source/forbidden'],
    ['does not answer', { roots: faulty(away) }, 'source/unavailable'],
    ['is listed and can then not be read', { open: faulty(away) }, 'source/unavailable'],
  ])('of one source of several that %s keep their tree, and the others are archived', async (_, extra, code) => {
    const before = await night(spaces(['mine']), other());
    expect(before.texts).toEqual({ 'mine/a.txt': 'of mine', 'other/o.txt': 'first' });
    for (const sources of [
      [other(extra, 'second'), spaces(['mine', 'team'])],
      [spaces(['mine', 'team']), other(extra, 'third')],
    ]) {
      const { texts, tops, missing, problems, seen, entries } = await night(...sources);
      expect(texts).toEqual({ ...before.texts, 'team/a.txt': 'of team' });
      expect([tops.toSorted(), missing]).toEqual([['mine', 'other', 'team'], []]);
      expect(problems).toMatchObject([{ root: 'other', path: '', code, kept: true }]);
      expect(entries).toBe(3);
      expect(seen.gone).toBe(0);
    }
  });

  test('of a source that was never read are named, and nothing stands in', async () => {
    const { problems, texts } = await night(spaces(['mine']), other({ roots: faulty(away) }));
    expect(problems).toMatchObject([
      {
        root: 'other',
        path: '',
        code: 'source/unavailable',
        kept: false,
        message: expect.stringContaining('memory:other'),
      },
    ]);
    expect(texts).toEqual({ 'mine/a.txt': 'of mine' });
  });

  test('end the run where none of the sources can be read, with the error of the first', async () => {
    const forbidden = faulty(new AppError('source/forbidden', 'Not to be read.'));
    const sources = [spaces([], { roots: forbidden }), other({ roots: faulty(away) })];
    await expect(night(...sources)).rejects.toMatchObject({ code: 'source/forbidden' });
  });

  test('end the run where one of the sources does not answer that is waited for, and not for any other reason', async () => {
    const waiting = (...sources: Source[]) => archiveNight(repository, sources, { waitsForAll: true });
    await expect(waiting(spaces(['mine']), other({ roots: faulty(away) }))).rejects.toMatchObject({ code: away.code });
    const forbidden = faulty(new AppError('source/forbidden', 'Not to be read.'));
    expect((await waiting(spaces(['mine']), other({ roots: forbidden }))).problems).toHaveLength(1);
  });

  test('end the run where it is not the source that fails, whatever others there are', async () => {
    const fault = new AppError('provider/unavailable', 'The provider does not answer.');
    await expect(night(spaces(['mine']), other({ roots: faulty(fault) }))).rejects.toBe(fault);
  });

  test('that are to be left are not in it any more, and nobody is told', async () => {
    await night(spaces(['mine']), other());
    const { tops, problems, missing, seen } = await archiveNight(repository, [spaces(['mine'])], {
      left: new Set(['other']),
    });
    expect([tops, problems, missing, seen.gone]).toEqual([['mine'], [], [], 0]);
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
