import { describe, expect, test } from 'vitest';
import { stepsAtOnce } from '../../../src/pieces.ts';
import type { DataId, SnapshotId, TreeId } from '../../../src/store/format/ids.ts';
import type { Node } from '../../../src/store/format/node.ts';
import { openBudget } from '../../../src/store/history/budget.ts';
import { compareTrees } from '../../../src/store/history/compare.ts';
import type { History } from '../../../src/store/history/history.ts';
import { orderNodes } from '../../../src/store/history/order.ts';
import { searchNames } from '../../../src/store/history/search.ts';
import { nameAffectedFiles } from '../../../src/store/repository/affected-files.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { tarFolder } from '../../../src/store/restorer/tar.ts';
import { zipFolder } from '../../../src/store/restorer/zip.ts';
import { zipNotes as notes } from '../../../src/web/texts/en.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { mostAtOnce } from '../../support/fixtures/most-at-once.ts';
import { newRepository, writeSnapshot } from '../../support/fixtures/repository.ts';

const count = 5_000;
const time = '2026-01-02T03:04:05Z';
const common = { mtime: time, atime: time, ctime: time, uid: 0, gid: 0, mode: 0o600, size: 0 };
const [before, after] = ['aa'.repeat(32) as TreeId, 'bb'.repeat(32) as TreeId];
const lost = 'cc'.repeat(32) as DataId;

/** A huge folder, and another state of it, of which each name or content that is looked at is a step. */
function hugeFolders(step: () => void) {
  const nodesOf = (content: readonly DataId[]): Node[] =>
    Array.from({ length: count }, (_, number) => ({
      ...common,
      type: 'file',
      get name() {
        step();
        return `${(number * 7919) % count}: a.txt`;
      },
      get content() {
        step();
        return content;
      },
    }));
  const trees = new Map([
    [before, nodesOf([])],
    [after, nodesOf([lost])],
  ]);
  const loadTree = async (id: TreeId) => ({ nodes: trees.get(id) ?? [] });
  const index = { findAll: () => [], find: () => undefined, has: () => false };
  return { loadTree, index, loadBlobs: async function* () {} } as unknown as Repository;
}

const ways: Readonly<Record<string, (repository: Repository) => Promise<unknown>>> = {
  'is sorted for a page': async ({ loadTree }) => orderNodes((await loadTree(before)).nodes, 'name', 'en'),
  'is compared with an earlier state': (repository) =>
    Array.fromAsync(compareTrees(repository, { before, after }, openBudget(1e9))),
  'is searched': (repository) => {
    const saved = { id: before as string as SnapshotId, snapshot: { time, tree: before, paths: [] } };
    const history = { repository, sights: new Map() } as unknown as History;
    return Array.fromAsync(searchNames(history, [saved], { text: 'not there', path: '' }, openBudget(1e9)));
  },
  'is downloaded': (repository) => Array.fromAsync(zipFolder(repository, { tree: before }, '', { notes })),
  'is looked through for what is lost': (repository) => {
    const saved = { id: before as string as SnapshotId, snapshot: { time, tree: after, paths: [] } };
    const finding = {
      kind: 'blob-missing',
      severity: 'error',
      message: '',
      blobs: [{ type: 'data', id: lost }],
    } as const;
    return nameAffectedFiles(repository, [saved], [finding], undefined);
  },
};

describe('a huge folder takes the thread from others for a few hundred members at a time', () => {
  test.each(Object.entries(ways))('when it %s', async (_, work) => {
    let steps = 0;
    const most = await mostAtOnce((step) =>
      work(
        hugeFolders(() => {
          steps += 1;
          step();
        }),
      ),
    );
    expect(steps).toBeGreaterThanOrEqual(count);
    expect(most).toBeLessThanOrEqual(5 * stepsAtOnce * Math.log2(stepsAtOnce));
  });

  test('when its names and those of its earlier state are brought together', async () => {
    const { add } = Set.prototype;
    let added = 0;
    try {
      const most = await mostAtOnce((step) => {
        Set.prototype.add = function (value: unknown) {
          added += 1;
          step();
          return add.call(this, value);
        };
        const repository = hugeFolders(() => {});
        return Array.fromAsync(compareTrees(repository, { before, after }, openBudget(1e9)));
      });
      expect(added).toBeGreaterThanOrEqual(2 * count);
      expect(most).toBeLessThanOrEqual(4 * stepsAtOnce);
    } finally {
      Set.prototype.add = add;
    }
  });

  test.each([
    ['zip', (repository: Repository) => zipFolder(repository, { tree: before }, '', { notes })],
    ['tar', (repository: Repository) => tarFolder(repository, before, '')],
  ])('when its files, of which none holds anything, are written as %s', async (_, write) => {
    let chunks = 0;
    const most = await mostAtOnce(async (step) => {
      for await (const __ of write(hugeFolders(() => {}))) {
        chunks += 1;
        step();
      }
    });
    expect(chunks).toBeGreaterThanOrEqual(count);
    expect(most).toBeLessThanOrEqual(4 * stepsAtOnce);
  });

  test('when the directory of its zip file is written', async () => {
    let chunks = 0;
    const most = await mostAtOnce(async (step) => {
      for await (const chunk of zipFolder(
        hugeFolders(() => {}),
        { tree: before },
        '',
        { notes },
      )) {
        const bytes = Buffer.from(chunk);
        // A header of the directory, or several, after those of the files.
        chunks += bytes.indexOf('PK\u0001\u0002') === 0 ? 1 : 0;
        for (let at = bytes.indexOf('PK\u0001\u0002'); at >= 0; at = bytes.indexOf('PK\u0001\u0002', at + 1)) step();
      }
    });
    expect(chunks).toBeGreaterThanOrEqual(count / stepsAtOnce);
    expect(most).toBeLessThanOrEqual(2 * stepsAtOnce);
  });

  test('when it is checked', async () => {
    const backend = openMemoryBackend();
    const files = Array.from({ length: count }, (_, number) => [`${number}`, Buffer.from('the same')]);
    await writeSnapshot(await newRepository(backend), Object.fromEntries(files));
    const repository = await openRepository(backend, 'pw');
    let looked = 0;
    const most = await mostAtOnce((step) => {
      const { index } = repository;
      const has: typeof index.has = (...blob) => {
        looked += 1;
        step();
        return index.has(...blob);
      };
      return checkRepository({ ...repository, index: Object.assign(Object.create(index), { has }) });
    });
    expect(looked).toBeGreaterThanOrEqual(count);
    expect(most).toBeLessThanOrEqual(stepsAtOnce);
  });
});
