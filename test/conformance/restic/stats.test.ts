import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { sealBlob } from '../../../src/store/format/blob.ts';
import { envelopeOverhead } from '../../../src/store/format/envelope.ts';
import { readStats } from '../../../src/store/pruner/stats.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { archiveNight } from '../../support/fixtures/archive-night.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository, writePack } from '../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { restic, resticProgram, tryRestic } from '../../support/servers/restic.ts';

const password = 'pw';

/** Six nights with texts, noise, copies, empty files and folders; two are forgotten, and a pack is there that no index names. */
async function makeNights(path: string): Promise<void> {
  const repository = await newRepository(openLocalBackend(path), password);
  await repository.loadIndex();
  const noise = randomBytes(400_000);
  const deep = folder({ noise: file(noise), 'copy of noise': file(noise), empty: file(''), none: folder({}) });
  const top = folder({ deep, text: file('one line after another\n'.repeat(40_000)) });
  for (let night = 0; night < 6; night += 1) {
    top.members[`text ${night}`] = file(`night ${night}\n`.repeat(9_000 * (night + 1)));
    top.members.changing = file(randomBytes(150_000), { validator: `${night}` });
    const { snapshot } = await archiveNight(repository, [memorySource(top)]);
    if (night % 3 === 1) await repository.forgetSnapshot(snapshot);
  }
  await writePack(repository, [sealBlob(repository.masterKey, 'data', randomBytes(30_000))]);
}

/** The bytes that a line of `restic prune` tells of. */
function bytesOf(line: RegExp, said: string): number {
  return Number(line.exec(said)?.[1]) * 1024;
}

describe.skipIf(resticProgram === undefined)('stats', () => {
  test('are the numbers of stock', async () => {
    await using top = await temporaryFolder('stats');
    const path = join(top.path, 'repository');
    await makeNights(path);
    const stock = { repository: path, password };
    const statsOf = async (mode: string) => JSON.parse(await restic(stock, 'stats', '--json', '--mode', mode));
    const [restored, raw] = [await statsOf('restore-size'), await statsOf('raw-data')];
    const listed = async (type: string) => (await restic(stock, 'list', type)).trim().split('\n');
    const ours = await readStats(await openRepository(openLocalBackend(path), password));
    expect(ours).toMatchObject({
      snapshots: 4,
      files: restored.total_file_count,
      restoreSize: restored.total_size,
      blobs: raw.total_blob_count,
      storedSize: raw.total_size,
      // Told by restic 0.15 and newer.
      rawSize: raw.total_uncompressed_size ?? expect.any(Number),
      compressionRatio: raw.compression_ratio ?? expect.any(Number),
      packs: (await listed('packs')).length,
      indexFiles: (await listed('index')).length,
    });
    const pruned = await restic(stock, 'prune', '--dry-run', '-vv', '--max-unused', '0');
    const unused = bytesOf(/^unused: .* ([\d.]+) KiB$/m, pruned) + bytesOf(/^unreferenced:\s+([\d.]+) KiB$/m, pruned);
    expect(ours.unusedSize / unused).toBeCloseTo(1, 4);
    await restic(stock, 'prune', '--max-unused', '0');
    let rawSize = 0;
    for (const line of await listed('blobs')) {
      const { stdout } = await tryRestic(stock, 'cat', 'blob', line.split(' ')[1] ?? '');
      rawSize += stdout.length + envelopeOverhead;
    }
    const afterwards = await readStats(await openRepository(openLocalBackend(path), password));
    expect(afterwards).toMatchObject({ rawSize, unusedSize: 0, blobs: ours.blobs });
    expect(ours.rawSize).toBe(rawSize);
  });
});
