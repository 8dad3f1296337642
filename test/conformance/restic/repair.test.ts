import { hash } from 'node:crypto';
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { type Backend, pathOf } from '../../../src/store/backend/backend.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import type { PackId } from '../../../src/store/format/ids.ts';
import { confirmDamage } from '../../../src/store/repairer/confirm-damage.ts';
import { repairPacks } from '../../../src/store/repairer/repair-packs.ts';
import { repairSnapshots } from '../../../src/store/repairer/repair-snapshots.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { archiveNight } from '../../support/fixtures/archive-night.ts';
import { failingAt } from '../../support/fixtures/failing-backend.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { restic, resticProgram, tryRestic } from '../../support/servers/restic.ts';

const password = 'pw';
const top = folder({
  letters: folder(
    Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`${n}.txt`, file(`letter ${n} `.repeat(99))])),
  ),
  pictures: folder({ one: file(Buffer.alloc(400_000, 'one')), two: file(Buffer.alloc(300_000, 'two')) }),
  'note.txt': file('a note'),
});

interface Made {
  readonly path: string;
  readonly packs: { readonly data: PackId[]; readonly tree: PackId[] };
}

describe.skipIf(resticProgram === undefined)('repair', () => {
  let all: TemporaryFolder;
  let made: string;
  /** As they came, night by night. */
  const born = new Set<string>();
  beforeAll(async () => {
    all = await temporaryFolder('repair');
    made = join(all.path, 'made');
    const repository = await newRepository(openLocalBackend(made), password);
    for (let night = 0; night < 3; night += 1) {
      top.members[`of night ${night}`] = file(`night ${night} `.repeat(400));
      await archiveNight(repository, [memorySource(top)]);
      for await (const { name } of openLocalBackend(made).list('data')) born.add(name);
    }
  });
  afterAll(() => all[Symbol.asyncDispose]());

  let copies = 0;
  async function copy(): Promise<Made> {
    copies += 1;
    const path = join(all.path, `copy ${copies}`);
    await cp(made, path, { recursive: true });
    const repository = await openRepository(openLocalBackend(path), password);
    const packs: Made['packs'] = { data: [], tree: [] };
    const known = new Map(
      (await repository.loadIndex()).packs().map(({ id, blobs }) => [id, blobs[0]?.type ?? 'data']),
    );
    for (const name of born) packs[known.get(name as PackId) ?? 'data'].push(name as PackId);
    return { path, packs };
  }

  const stock = (path: string) => ({ repository: path, password });
  const open = (path: string) => openRepository(openLocalBackend(path), password);

  async function repairIt(path: string, backend: Backend = openLocalBackend(path)) {
    const checked = await open(path);
    const { findings } = await checkRepository(checked, { readData: 'all' });
    return repairPacks(await openRepository(backend, password), await confirmDamage(checked, findings));
  }

  async function night(path: string) {
    const repository = await open(path);
    await repository.loadIndex();
    return archiveNight(repository, [memorySource(top)]);
  }

  /** All data is in the last night as well; folders that only an older one had are lost with its trees. */
  async function expectNightHeals(path: string, lost: 'data' | 'tree'): Promise<void> {
    const { problems } = await night(path);
    expect(problems).toEqual([]);
    if (lost === 'data') expect(await restic(stock(path), 'check', '--read-data')).toContain('no errors were found');
    const target = `${path} restored`;
    await restic(stock(path), 'restore', 'latest', '--target', target, '--verify');
    expect(await readFile(join(target, 'files/pictures/two'))).toEqual(Buffer.alloc(300_000, 'two'));
    expect(await readFile(join(target, 'files/letters/7.txt'), 'utf8')).toBe('letter 7 '.repeat(99));
  }

  const flip = (at: number) => async (path: string) => {
    const bytes = await readFile(path);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await rm(path);
    await writeFile(path, bytes);
  };
  const cut = async (path: string) => {
    const bytes = await readFile(path);
    await rm(path);
    await writeFile(path, bytes);
    await truncate(path, Math.floor(bytes.length / 2));
  };
  const gone = (path: string) => rm(path);

  test.each<[string, 'data' | 'tree', (path: string) => Promise<void>]>([
    ['flipped data', 'data', flip(60)],
    ['cut data', 'data', cut],
    ['data that is gone', 'data', gone],
    ['a flipped tree', 'tree', flip(60)],
    ['cut trees', 'tree', cut],
    ['trees that are gone', 'tree', gone],
  ])('of %s in any pack lets the next night heal all that it reads', async (_, type, hurt) => {
    const { path, packs } = await copy();
    // Those of the first night and of the second; the third shares most with these.
    for (const id of packs[type].slice(0, 2)) await hurt(join(path, pathOf('data', id)));
    await repairIt(path);
    await expectNightHeals(path, type);
  });

  test.each(['data', 'tree'] as const)(
    'of snapshots without a lost pack of %s leaves what stock finds whole and restores',
    async (type) => {
      const { path, packs } = await copy();
      const others = await Array.fromAsync((await open(path)).listSnapshots(), ({ id }) => id);
      await rm(join(path, pathOf('data', packs[type][0] as PackId)));
      await repairIt(path);
      const target = `${path} restored`;
      // Stock restores nothing of a snapshot of which a blob is in no index.
      expect(await tryRestic(stock(path), 'restore', 'latest', '--target', target)).not.toMatchObject({ code: 0 });
      const repository = await open(path);
      await repository.loadIndex();
      const repaired = await Array.fromAsync(repairSnapshots(repository, { clock: systemClock(), forget: true }));
      expect(repaired.length).toBeGreaterThan(0);
      expect(await restic(stock(path), 'check', '--read-data')).toContain('no errors were found');
      const left = await Array.fromAsync((await open(path)).listSnapshots(), ({ id }) => id);
      expect(left.length + repaired.filter(({ isLost }) => isLost).length).toBe(others.length);
      for (const id of left) await restic(stock(path), 'restore', id, '--target', join(target, id), '--verify');
      await expectNightHeals(path, 'data');
    },
  );

  test('of every index file leaves what stock finds whole', async () => {
    for (const hurt of [flip(40), cut, gone]) {
      const { path } = await copy();
      for await (const { name } of openLocalBackend(path).list('index')) await hurt(join(path, 'index', name));
      expect(await repairIt(path)).toMatchObject({ blobsLost: 0 });
      expect(await restic(stock(path), 'check', '--read-data')).toContain('no errors were found');
    }
  });

  test.each(['saves', 'removes'] as const)(
    'that is interrupted where it %s for the n-th time leaves no more damage, and the next one ends it',
    async (act) => {
      let n = 0;
      for (let finished = false; !finished; ) {
        expect(++n).toBeLessThan(30);
        const { path, packs } = await copy();
        await flip(60)(join(path, pathOf('data', packs.data[0] as PackId)));
        await flip(60)(join(path, pathOf('data', packs.tree[0] as PackId)));
        const lost = await lostFiles(path);
        const restored = await restoredByStock(path);
        const failing = failingAt(openLocalBackend(path), { act, when: n % 2 === 0 ? 'before' : 'after', n });
        await repairIt(path, failing.backend).catch(() => undefined);
        finished = failing.count() < n;
        expect(await lostFiles(path)).toEqual(lost);
        // Stock asks for a pack that is gone for a minute, and restores nothing at all where a blob is in no index any more.
        if (act === 'saves' && !finished) expect(await restoredByStock(path)).toEqual(restored);
        await repairIt(path);
        if (finished) await expectNightHeals(path, 'tree');
        else expect(await repairIt(path)).toMatchObject({ packsReplaced: [], packsMissing: [], packsIndexed: 0 });
      }
      expect(n).toBeGreaterThan(2);
    },
  );

  async function lostFiles(path: string): Promise<string[]> {
    const { findings } = await checkRepository(await open(path), { readData: 'all' });
    const names = findings.flatMap(({ files = [] }) => files.map((lost) => `${lost.snapshot} ${lost.path}`));
    return [...new Set(names)].sort();
  }

  /** What stock restores of the last night, damaged as it is. */
  async function restoredByStock(path: string): Promise<string[]> {
    await using target = await temporaryFolder('stock');
    await tryRestic(stock(path), 'restore', 'latest', '--target', target.path);
    const entries = await readdir(target.path, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const spell = async (file: string) => `${relative(target.path, file)} ${hash('sha256', await readFile(file))}`;
    return (await Promise.all(paths.map(spell))).sort();
  }

  test('finds nothing to mend in what stock made and mended', async () => {
    const { path } = await copy();
    await restic(stock(path), 'rebuild-index');
    await restic(stock(path), 'prune', '--max-unused', '0');
    expect(await repairIt(path)).toMatchObject({ packsIndexed: 0, packsReplaced: [], packsMissing: [], blobsLost: 0 });
  });
});
