import { expect, test } from 'vitest';
import type { ArchiveProgress } from '../../../src/store/archiver/archiver.ts';
import { archiveNight } from '../../support/fixtures/archive-night.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';

test('an archive tells whenever it is asked how many files it has seen, what it could not read, and where it is', async () => {
  const repository = await newRepository(openMemoryBackend());
  const asked: (ArchiveProgress | undefined)[] = [];
  let look: (() => ArchiveProgress) | undefined;
  const last = file('last');
  const read = async function* () {
    asked.push(look?.());
    yield Buffer.from('last');
  };
  const top = folder({
    'a.txt': file('a'),
    letters: folder({ 'b.txt': file('b'), deep: folder({ 'last.txt': { ...last, content: read } }) }),
  });
  const { entries } = await archiveNight(repository, [memorySource(top)], {
    requests: 1,
    onProgress: (given) => {
      look = given;
      asked.push(given());
    },
  });
  expect(asked).toEqual([
    { entries: 0, problems: 0, folder: null },
    { entries: expect.any(Number), problems: 0, folder: 'files/letters/deep' },
  ]);
  expect(look?.()).toMatchObject({ entries, problems: 0 });
});
