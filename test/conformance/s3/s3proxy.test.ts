import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import type { S3Store } from '../../../src/store/backend/s3/s3.ts';
import { prune } from '../../../src/store/pruner/prune.ts';
import { saveCard } from '../../../src/store/repository/cards.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { clearPlace, contentsOf } from '../../../src/store/repository/clear-place.ts';
import { lockRepository } from '../../../src/store/repository/lock.ts';
import { openLockOwner } from '../../../src/store/repository/locks.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { restore } from '../../../src/store/restorer/restore.ts';
import { describeBackend } from '../../contract/backend/contract.ts';
import { archiveNight } from '../../support/fixtures/archive-night.ts';
import { folderSource } from '../../support/fixtures/folder-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { openTestBucket } from '../../support/fixtures/s3-store.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { restic, resticProgram, tryRestic } from '../../support/servers/restic.ts';
import { type S3Proxy, s3ProxyJars, startS3Proxy } from '../../support/servers/s3proxy.ts';

const run = promisify(execFile);
const jars = await s3ProxyJars();
const clock = systemClock();
const owner = { clock, ...openLockOwner('nightkeep-test') };

describe.skipIf(jars === undefined)('S3Proxy', () => {
  let server: S3Proxy;
  let bucket: S3Store;
  let top: TemporaryFolder;
  beforeAll(async () => {
    server = await startS3Proxy(jars ?? '');
    bucket = openTestBucket(server.url, server);
    top = await temporaryFolder('s3');
  });
  afterAll(async () => {
    await bucket[Symbol.asyncDispose]();
    await server.stop();
    await top[Symbol.asyncDispose]();
  });

  describeBackend('S3, at S3Proxy', async () => bucket.open(`contract/${randomUUID()}`));

  describe.skipIf(resticProgram === undefined)('with stock restic beside us', () => {
    const password = 'correct horse';
    const stockAt = (backend: Backend) => ({ repository: backend.location, password, key: server });
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
      const backend = bucket.open('ours/of-alice');
      await saveCard(backend, Buffer.from('a card'));
      expect(await Array.fromAsync(bucket.places('ours'))).toEqual(['of-alice']);
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
      const backend = bucket.open('stock/of-bob');
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
});

describe.skipIf(jars === undefined)('what S3Proxy refuses', () => {
  let server: S3Proxy;
  beforeAll(async () => {
    server = await startS3Proxy(jars ?? '');
  });
  afterAll(() => server.stop());

  test.each([
    ['a wrong secret', { secretAccessKey: 'wrong' }, /does not believe the secret key/],
    ['an unknown key', { accessKeyId: 'nobody' }, /does not know the access key/],
  ])('%s is named with the cure', async (_what, wrong, words) => {
    await using store = openTestBucket(server.url, { ...server, ...wrong });
    const save = store.open('x').save('config', 'config', Buffer.of(1));
    await expect(save).rejects.toMatchObject({ code: 'store/unavailable', retry: undefined });
    await expect(store.open('x').load('config', 'config')).rejects.toThrow(words);
  });
});
