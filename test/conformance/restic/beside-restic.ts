import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import type { RemoteStore } from '../../../src/store/backend/remote-store.ts';
import { prune } from '../../../src/store/pruner/prune.ts';
import { saveCard } from '../../../src/store/repository/cards.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { clearPlace, contentsOf } from '../../../src/store/repository/clear-place.ts';
import { lockRepository } from '../../../src/store/repository/lock.ts';
import { openLockOwner } from '../../../src/store/repository/locks.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { restore } from '../../../src/store/restorer/restore.ts';
import { archiveNight } from '../../support/fixtures/archive-night.ts';
import { folderSource } from '../../support/fixtures/folder-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type ResticOptions, restic, resticProgram, tryRestic } from '../../support/servers/restic.ts';

const run = promisify(execFile);
const clock = systemClock();
const owner = { clock, ...openLockOwner('nightkeep-test') };

/** A server on which both keep their repositories. */
export interface SharedServer {
  readonly store: () => RemoteStore;
  /** How stock restic reaches what lies at a location of ours. */
  readonly stockAt: (location: string) => Omit<ResticOptions, 'password'>;
}

/** Holds a store on a server to what stock restic makes of it, in both directions. */
export function describeBesideRestic(way: SharedServer): void {
  describe.skipIf(resticProgram === undefined)('with stock restic beside us', () => {
    const password = 'correct horse';
    const stockAt = (backend: Backend) => ({ ...way.stockAt(backend.location), password });
    let top: TemporaryFolder;
    beforeAll(async () => {
      top = await temporaryFolder('beside-restic');
    });
    afterAll(() => top[Symbol.asyncDispose]());

    const makeFiles = async (name: string) => {
      const files = join(top.path, name);
      await mkdir(join(files, 'deep'), { recursive: true });
      await writeFile(join(files, 'one.txt'), 'one\n');
      await writeFile(join(files, 'deep', 'large.bin'), Buffer.alloc(3_000_000, name));
      return files;
    };
    const night = async (backend: Backend, files: string) => {
      const repository = await openRepository(backend, password);
      await using lock = await lockRepository(repository, owner);
      await repository.loadIndex();
      return archiveNight(repository, [folderSource('files', files)], { signal: lock.signal });
    };
    const expectSound = async (backend: Backend) => {
      expect(await restic(stockAt(backend), 'check', '--read-data')).toContain('no errors were found');
      const report = await checkRepository(await openRepository(backend, password), { readData: 'all' });
      expect(report.findings).toEqual([]);
    };

    test('what we wrote there, stock checks and restores, and what stock forgets, we prune', async () => {
      const backend = way.store().open('ours/of-alice');
      await saveCard(backend, Buffer.from('a card'));
      expect(await Array.fromAsync(way.store().places('ours'))).toEqual(['of-alice']);
      const files = await makeFiles('ours');
      await newRepository(backend, password);
      const first = await night(backend, files);
      await writeFile(join(files, 'one.txt'), 'another one\n');
      await writeFile(join(files, 'deep', 'large.bin'), 'small by now');
      const second = await night(backend, files);
      await expectSound(backend);
      const target = join(top.path, 'restored by stock');
      await restic(stockAt(backend), 'restore', second.snapshot, '--target', target);
      await run('diff', ['-r', files, join(target, 'files')]);
      await restic(stockAt(backend), 'forget', first.snapshot);
      {
        const repository = await openRepository(backend, password);
        await using _lock = await lockRepository(repository, { ...owner, exclusive: true });
        const stock = await tryRestic(stockAt(backend), 'check');
        expect(stock.stderr + stock.stdout).toMatch(/already locked/);
        const report = await prune(repository, { clock, unusedShare: 0 });
        expect(report.bytesFreed).toBeGreaterThan(0);
      }
      await expectSound(backend);
      expect(await Array.fromAsync(backend.list('lock'))).toEqual([]);
      await clearPlace(backend);
      const gone = await tryRestic(stockAt(backend), 'snapshots');
      expect(gone.code).not.toBe(0);
      expect(await contentsOf(backend)).toEqual({ snapshots: 0, files: 0, bytes: 0 });
    });

    test('what stock wrote there, we check, go on with and restore', async () => {
      const backend = way.store().open('stock/of-bob');
      const files = await makeFiles('stock');
      await restic(stockAt(backend), 'init');
      await restic({ ...stockAt(backend), cwd: files }, 'backup', '.');
      const { tree } = await night(backend, files);
      await expectSound(backend);
      const repository = await openRepository(backend, password);
      await repository.loadIndex();
      const target = join(top.path, 'restored by us');
      const [last] = (await Array.fromAsync(repository.listSnapshots())).toReversed();
      expect(last?.snapshot.tree).toBe(tree);
      if (last === undefined) return;
      await restore(repository, last.snapshot, target);
      expect(await readFile(join(target, 'files', 'one.txt'), 'utf8')).toBe('one\n');
      await run('diff', ['-r', files, join(target, 'files')]);
    });
  });
}
