import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/errors.ts';
import { deepest } from '../../../src/store/archiver/descent.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import type { SourceFixture } from './source-contract.ts';

/** What becomes of something that the server has: what of it is listed, and what it answers when it is asked for. */
export type Shown =
  /** Its collection lists it with an error. */
  | 'refused'
  /** Its collection lists it; asked for, it is not found, or not to be read. */
  | 'not-found'
  | 'forbidden'
  /** Its own listing leaves all of it out, and cannot be taken for complete. */
  | 'incomplete'
  /** It has itself as a member, and another each time that it is asked. */
  | 'in-itself'
  | 'endless';

export interface ShowingFixture extends SourceFixture {
  /** From now on. */
  show(path: string, shown: Shown): Promise<void>;
}

/** What every Source and the archiver promise of listings: absence counts only in a complete one, and nothing is endless. */
export function listingContract(openFixture: () => Promise<ShowingFixture>): void {
  let fixture: ShowingFixture;
  let repository: Repository;
  beforeEach(async () => {
    fixture = await openFixture();
    repository = await newRepository(openMemoryBackend());
    await fixture.putOld('box/deep/a.txt', 'a');
    await fixture.putOld('box/b.txt', 'b');
    await fixture.putOld('other.txt', 'other');
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const night = async () => {
    await using source = fixture.open();
    const { tree, problems, tops } = await archiveNight(repository, [source]);
    const paths = [...(await contentOf(repository, tree)).keys()].map((path) => path.slice(`${tops[0]}/`.length));
    return { paths, problems: problems.map(({ path, code, kept }) => ({ path, code, kept })) };
  };
  const all = ['box/', 'box/b.txt', 'box/deep/', 'box/deep/a.txt', 'other.txt'];

  test.each<[string, Shown, string, ErrorCode]>([
    ['a folder is listed with an error', 'refused', 'box', 'source/forbidden'],
    ['a file is listed with an error', 'refused', 'box/b.txt', 'source/forbidden'],
    ['a folder is listed and not found', 'not-found', 'box/deep', 'source/not-found'],
    ['a folder is listed and must not be read', 'forbidden', 'box', 'source/forbidden'],
  ])('where %s its copy is kept, and it is named', async (_, shown, path, code) => {
    expect((await night()).problems).toEqual([]);
    await fixture.show(path, shown);
    await fixture.putNow('new.txt', 'new');
    const { paths, problems } = await night();
    expect(problems).toEqual([{ path, code, kept: true }]);
    expect(paths).toEqual(expect.arrayContaining([...all, 'new.txt']));
  });

  test('where a listing is incomplete all that it does not name is kept, and named', async () => {
    await night();
    await fixture.show('box', 'incomplete');
    await fixture.putNow('new.txt', 'new');
    const { paths, problems } = await night();
    expect(
      problems
        .filter(({ kept }) => kept)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['box/b.txt', 'box/deep']);
    expect(paths).toEqual(expect.arrayContaining([...all, 'new.txt']));
  });

  test('only what a complete listing does not name any more is gone', async () => {
    await night();
    await fixture.remove('other.txt');
    await fixture.putNow('new.txt', 'new');
    const { paths, problems } = await night();
    expect(problems).toEqual([]);
    expect(paths).not.toContain('other.txt');
  });

  test.each(['in-itself', 'endless'] as const)(
    'a folder that is %s ends as a problem, and the rest is there',
    async (shown) => {
      await fixture.show('box', shown);
      const { paths, problems } = await night();
      expect(problems).toMatchObject([{ code: shown === 'endless' ? 'source/too-deep' : 'source/loop' }]);
      expect(problems[0]?.path.split('/').length).toBeLessThanOrEqual(deepest.folders + 1);
      expect(paths).toEqual(expect.arrayContaining(all));
    },
  );
}
