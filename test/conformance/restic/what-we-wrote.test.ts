import { execFile } from 'node:child_process';
import { chmod, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { archive } from '../../../src/store/archiver/archiver.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import type { SnapshotId } from '../../../src/store/format/ids.ts';
import { timestamp } from '../../../src/store/format/timestamp.ts';
import { openArchiveTarget } from '../../../src/store/repository/archive-target.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { lockRepository } from '../../../src/store/repository/lock.ts';
import { openLockOwner } from '../../../src/store/repository/locks.ts';
import { initRepository, openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { restore } from '../../../src/store/restorer/restore.ts';
import { folderSource } from '../../support/fixtures/folder-source.ts';
import { makeUpFiles } from '../../support/fixtures/made-up-files.ts';
import { cheapScrypt } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { restic, resticProgram, tryRestic } from '../../support/servers/restic.ts';

const run = promisify(execFile);
const password = 'correct horse';
const clock = systemClock();
const owner = { clock, ...openLockOwner('nightkeep-test') };

/** One night as a worker does it: lock, archive, snapshot. */
async function backUp(repository: Repository, folder: string): Promise<SnapshotId> {
  await using lock = await lockRepository(repository, owner);
  await repository.loadIndex();
  const [former] = (await Array.fromAsync(repository.listSnapshots())).toReversed();
  const { tree, summary, problems } = await archive({
    sources: [folderSource('files', folder)],
    repository: openArchiveTarget(repository, clock),
    ...(former === undefined ? {} : { parent: former.snapshot.tree }),
    clock,
    signal: lock.signal,
  });
  expect(problems).toEqual([]);
  return await repository.saveSnapshot({
    time: timestamp(clock.now(), 'Europe/Berlin'),
    ...(former === undefined ? {} : { parent: former.id }),
    tree,
    paths: ['/files'],
    hostname: 'alice@files.example.org',
    username: 'nightkeep',
    tags: ['night'],
    program_version: 'nightkeep 0.1.0',
    summary,
  });
}

describe.skipIf(resticProgram === undefined)('what we wrote', () => {
  let top: TemporaryFolder;
  let files: string;
  let stock: { repository: string; password: string };
  let first: SnapshotId;
  beforeAll(async () => {
    top = await temporaryFolder('conformance');
    files = await mkdtemp(join(top.path, 'files-'));
    stock = { repository: join(top.path, 'repository'), password };
    await makeUpFiles(files);
    for (const link of ['deep/link', 'broken link']) await rm(join(files, link));
    await rm(Buffer.concat([Buffer.from(`${files}/odd/`), Buffer.from('ff6ec3289f', 'hex')]));
    const backend = openLocalBackend(stock.repository);
    const repository = await initRepository(backend, { password, clock, scrypt: cheapScrypt });
    first = await backUp(repository, files);
  });
  afterAll(() => top[Symbol.asyncDispose]());

  const check = async () => expect(await restic(stock, 'check', '--read-data')).toContain('no errors were found');

  test('stock checks with all its data', check);

  test('stock restores to the byte', async () => {
    const target = join(top.path, 'restored');
    await restic(stock, 'restore', first, '--target', target, '--verify');
    await run('diff', ['-r', files, join(target, 'files')]);
  });

  test('we restore to the byte', async () => {
    const repository = await openRepository(openLocalBackend(stock.repository), password);
    await repository.loadIndex();
    const target = join(top.path, 'restored by us');
    const report = await restore(repository, await repository.loadSnapshot(first), target);
    expect(report).toMatchObject({ problems: [], skipped: [] });
    await run('diff', ['-r', files, join(target, 'files')]);
  });

  test('stock lists: snapshots, files, and dumps one', async () => {
    const [snapshot] = JSON.parse(await restic(stock, 'snapshots', '--json'));
    expect(snapshot).toMatchObject({
      id: first,
      hostname: 'alice@files.example.org',
      paths: ['/files'],
      tags: ['night'],
    });
    expect(await restic(stock, 'ls', first)).toContain('/files/deep/a/b/c/d/e/f/file');
    const { stdout } = await tryRestic(stock, 'dump', first, '/files/large.bin');
    expect(stdout.equals(await readFile(join(files, 'large.bin')))).toBe(true);
  });

  test('stock adds no data to when it backs the same files up itself', async () => {
    const lines = (await restic({ ...stock, cwd: files }, 'backup', '.', '--json')).trim().split('\n');
    const summary = lines.map((line) => JSON.parse(line)).find(({ message_type: type }) => type === 'summary');
    expect(summary).toMatchObject({ data_blobs: 0, files_new: expect.any(Number) });
    expect(summary.files_new).toBeGreaterThan(200);
    await restic(stock, 'forget', summary.snapshot_id);
  });

  test('stock finds in our trees what differs between two nights', async () => {
    await writeFile(join(files, 'text.txt'), 'another text\n');
    await writeFile(join(files, 'many', '3', 'added'), 'added\n');
    await rm(join(files, 'old'));
    const second = await backUp(await openRepository(openLocalBackend(stock.repository), password), files);
    const changes = (await restic(stock, 'diff', first, second)).split('\n').filter((line) => /^[+\-MU] /.test(line));
    const plain = changes.map((line) => line.replace(/ +/, ' ')).filter((line) => !line.startsWith('U'));
    expect(plain).toEqual(['+ /files/many/3/added', '- /files/old', 'M /files/text.txt']);
    await check();
  });

  test('stock changes tags, adds keys, forgets and prunes, and we read what is left', async () => {
    await restic(stock, 'tag', '--add', 'seen', first);
    const file = join(top.path, 'new password');
    await writeFile(file, 'added by stock');
    await restic(stock, 'key', 'add', '--new-password-file', file);
    await restic(stock, 'forget', '--keep-last', '1', '--prune', '--max-unused', '0');
    await check();
    const repository = await openRepository(openLocalBackend(stock.repository), 'added by stock');
    const report = await checkRepository(repository, { readData: 'all' });
    expect(report).toMatchObject({ findings: [], snapshots: 1 });
    expect(report.packsRead).toBe(report.packs);
  });

  test('stock keeps out while we hold a lock, and gets in afterwards', async () => {
    const repository = await openRepository(openLocalBackend(stock.repository), password);
    {
      await using _lock = await lockRepository(repository, owner);
      expect((await tryRestic(stock, 'prune')).stderr).toContain('already locked');
      expect((await restic(stock, 'list', 'locks')).trim().split('\n')).toHaveLength(1);
    }
    await restic(stock, 'prune');
  });

  test('one byte changed in a pack is found by both, named, and the rest is restored', async () => {
    const before = await openRepository(openLocalBackend(stock.repository), password);
    await before.loadIndex();
    const pack = [...before.index.packs()].find(({ blobs }) => blobs[0]?.type === 'data' && blobs.length > 20);
    const victim = pack?.blobs.at(-1);
    if (pack === undefined || victim === undefined) throw new Error('no pack of several files');
    const path = join(stock.repository, 'data', pack.id.slice(0, 2), pack.id);
    await chmod(path, 0o600);
    {
      await using file = await open(path, 'r+');
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, victim.offset + 20);
      await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, victim.offset + 20);
    }
    const repository = await openRepository(openLocalBackend(stock.repository), password);
    expect((await tryRestic(stock, 'check', '--read-data')).code).toBe(1);
    const { findings } = await checkRepository(repository, { readData: 'all' });
    expect(findings).toMatchObject([{ kind: 'pack-damaged', packId: pack.id, blobs: [{ id: victim.id }] }]);
    const hurt = findings[0]?.files?.map((file) => file.path) ?? [];
    expect(hurt.length).toBeGreaterThan(0);
    const target = join(top.path, 'restored what is left');
    const { snapshot } = await repository.findSnapshot('latest');
    const report = await restore(repository, snapshot, target);
    expect(report.problems.map((problem) => `/${problem.path}`).sort()).toEqual(hurt.toSorted());
    for (const { message } of report.problems) expect(message).toContain(pack.id);
    const missing =
      (await readdir(files, { recursive: true })).length -
      (await readdir(join(target, 'files'), { recursive: true })).length;
    expect(missing).toBe(hurt.length);
  });
});
