import { expect, test } from 'vitest';
import { stepsAtOnce } from '../../../src/pieces.ts';
import { archiveNight } from '../../support/fixtures/archive-night.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { mostAtOnce } from '../../support/fixtures/most-at-once.ts';
import { newRepository } from '../../support/fixtures/repository.ts';

const count = 3_000;

test('a night of a huge folder of which one file changed lets others have the thread after every few hundred members', async () => {
  const members = Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.txt`, file('a')]));
  const source = memorySource(folder(members));
  const repository = await newRepository(openMemoryBackend());
  await archiveNight(repository, [source]);
  source.top.members['7.txt'] = file('changed');
  let looked = 0;
  const most = await mostAtOnce(async (step) => {
    const has: typeof repository.index.has = (...blob) => {
      looked++;
      step();
      return repository.index.has(...blob);
    };
    const counted = { ...repository, index: { ...repository.index, has } };
    expect((await archiveNight(counted, [source], { listAll: true })).entries).toBe(count);
  });
  expect(looked).toBeGreaterThanOrEqual(count - 1);
  expect(most).toBeLessThanOrEqual(stepsAtOnce);
});
