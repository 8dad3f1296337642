import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { prune } from '../../../src/store/pruner/prune.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { archiveNight } from '../../support/fixtures/archive-night.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';

const password = 'pw';
const clock = systemClock();

/** Bytes that no compressor makes smaller. */
const noise = (seed: string, length: number) =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / 32) }, (_, part) =>
      createHash('sha256').update(`${seed} ${part}`).digest(),
    ),
  ).subarray(0, length);

/** Fifteen nights, in each of which a few files change, are added and go; every third snapshot stays. */
async function makeNights(path: string): Promise<void> {
  const repository = await newRepository(openLocalBackend(path), password);
  await repository.loadIndex();
  const top = folder({ large: file(noise('large', 3_000_000)), deep: folder({ 'a.txt': file('alpha') }) });
  for (let night = 0; night < 15; night += 1) {
    for (let n = 0; n < 12; n += 1) {
      const name = `file ${(night * 5 + n) % 40}`;
      top.members[name] = file(noise(`${name} of ${night}`, 60_000), { validator: `${night}` });
    }
    delete top.members[`file ${(night * 7) % 40}`];
    const { snapshot } = await archiveNight(repository, [memorySource(top)]);
    if (night % 3 > 0) await repository.forgetSnapshot(snapshot);
  }
}

describe.skipIf(resticProgram === undefined)('prune', () => {
  let top: TemporaryFolder;
  let made: string;
  beforeAll(async () => {
    top = await temporaryFolder('prune');
    made = join(top.path, 'made');
    await makeNights(made);
  });
  afterAll(() => top[Symbol.asyncDispose]());

  async function copyOf(name: string): Promise<string> {
    const path = join(top.path, name);
    await cp(made, path, { recursive: true });
    return path;
  }

  const pruneIt = async (path: string, options: { dryRun?: boolean } = {}) =>
    prune(await openRepository(openLocalBackend(path), password), { clock, unusedShare: 0, ...options });

  async function expectWhole(path: string): Promise<void> {
    const stock = { repository: path, password };
    expect(await restic(stock, 'check', '--read-data')).toContain('no errors were found');
    expect(JSON.parse(await restic(stock, 'snapshots', '--json'))).toHaveLength(5);
  }

  async function bytesIn(path: string): Promise<number> {
    const packs = await Array.fromAsync(openLocalBackend(path).list('data'));
    return packs.reduce((sum, { size }) => sum + size, 0);
  }

  test('leaves a repository that stock finds whole, and no larger than after its own prune', async () => {
    const ours = await copyOf('ours');
    const theirs = await copyOf('theirs');
    const before = await bytesIn(ours);
    const { bytesFreed } = await pruneIt(ours);
    await expectWhole(ours);
    await restic({ repository: theirs, password }, 'prune', '--max-unused', '0');
    const after = await bytesIn(ours);
    expect(after).toBeLessThan(before);
    expect(before - bytesFreed).toBeGreaterThan(after * 0.95);
    expect(after).toBeLessThan((await bytesIn(theirs)) * 1.01);
  });

  test('leaves nothing to do for stock', async () => {
    const path = await copyOf('nothing left');
    await pruneIt(path);
    const said = await restic({ repository: path, password }, 'prune', '--dry-run', '--max-unused', '0');
    expect(said).toMatch(/to repack:\s+0 blobs/);
    expect(said).toMatch(/to delete:\s+0 blobs/);
  });

  test('killed at any moment leaves a whole repository, and the next prune ends its work', async () => {
    let ended = 0;
    for (let kill = 0; kill < 6; kill += 1) {
      const path = await copyOf(`killed ${kill}`);
      const child = spawn(process.execPath, [join(import.meta.dirname, 'prune-child.ts'), path, password]);
      const closed = once(child, 'close');
      await once(child.stdout, 'data');
      await sleep(kill * 25);
      child.kill('SIGKILL');
      const [code] = await closed;
      if (code === 0) ended += 1;
      await expectWhole(path);
      await pruneIt(path);
      await expectWhole(path);
      expect(await pruneIt(path, { dryRun: true })).toMatchObject({ packsUnindexed: 0, bytesFreed: 0, bytesUnused: 0 });
    }
    expect(ended).toBeLessThan(6);
  });
});
