import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';

const password = 'pw';

/** Fails at the n-th save, before or after the file is there, and from then on. */
function failingAt(backend: Backend, n: number, when: 'before' | 'after'): { backend: Backend; saves: () => number } {
  let saves = 0;
  const save: Backend['save'] = async (type, name, bytes) => {
    saves++;
    if (saves > n || (saves === n && when === 'before')) throw new AppError('store/unavailable', 'The disk is full.');
    await backend.save(type, name, bytes);
    if (saves === n) throw new AppError('store/unavailable', 'The disk went away.');
  };
  return { backend: { ...backend, save }, saves: () => saves };
}

describe('a store that fails in the middle of a night', () => {
  test.each(['before', 'after'] as const)(
    'leaves a valid repository at whichever save, %s the file is written',
    async (when) => {
      await using home = await temporaryFolder('failing-store');
      const path = join(home.path, 'repository');
      const local = openLocalBackend(path);
      await newRepository(local, password);
      const top = folder({ small: folder({ 'a.txt': file('alpha'), 'b.txt': file('beta') }) });

      /** Night after night, of which each fails one save later, until one goes well. */
      const nights = async ({ least, most }: { least: number; most: number }) => {
        let finished = false;
        let n = 0;
        while (!finished) {
          expect(++n).toBeLessThan(most);
          const store = failingAt(local, n, when);
          const repository = await openRepository(store.backend, password);
          await repository.loadIndex();
          const night = await archiveNight(repository, [memorySource(top)]).catch((error: unknown) => error);
          finished = store.saves() < n;
          if (!finished) expect(night).toMatchObject({ code: 'store/unavailable' });
          const opened = await openRepository(local, password);
          expect((await checkRepository(opened, { readData: 'all' })).findings).toEqual([]);
          if (resticProgram !== undefined) await restic({ repository: path, password }, 'check');
        }
        expect(n).toBeGreaterThan(least);
      };

      for (let n = 0; n < 6; n++) top.members[`large ${n}`] = file(randomBytes(3_500_000), { validator: `large ${n}` });
      await nights({ least: 5, most: 40 });
      top.members['little more'] = file('gamma');
      await nights({ least: 3, most: 10 });
      const repository = await openRepository(local, password);
      await repository.loadIndex();
      const last = await archiveNight(repository, [memorySource(top)]);
      expect(last.problems).toEqual([]);
      expect((await contentOf(repository, last.tree)).size).toBe(11);
    },
  );
});
