import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '../../../../src/errors.ts';
import { letOthers } from '../../../../src/pieces.ts';
import type { Repository } from '../../../../src/store/repository/repository.ts';
import { emptyReport } from '../../../../src/store/restorer/report.ts';
import { restoreInOrder, type StreamTarget } from '../../../../src/store/restorer/restore-in-order.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';

describe('a target that takes several files at once', () => {
  let repository: Repository;
  let snapshot: Awaited<ReturnType<typeof writeSnapshot>>;
  const names = Array.from({ length: 40 }, (_, n) => `file ${String(n).padStart(2, '0')}`);
  beforeAll(async () => {
    repository = await newRepository(openMemoryBackend());
    const files = Object.fromEntries(names.map((name) => [name, Buffer.from(name.repeat(100))]));
    snapshot = await writeSnapshot(repository, { a: files, b: { last: Buffer.from('last') } });
  });

  /** Takes ten at once, and ends each some turns after it was read. */
  function openTarget(end: (name: string) => void = () => {}) {
    const seen = { read: [] as string[], ended: [] as string[], most: 0, folders: [] as string[] };
    let underWay = 0;
    const target: StreamTarget = {
      atOnce: 10,
      makeFolder: async (path) => {
        // Nothing of the folder before is still under way.
        expect(underWay).toBe(0);
        seen.folders.push(path.join('/'));
      },
      makeLink: async () => {},
      writeFile: async (path, content) => {
        const name = path.at(-1) ?? '';
        seen.most = Math.max(seen.most, ++underWay);
        const bytes = await buffer(Readable.from(content()));
        seen.read.push(name);
        for (let turn = 0; turn < 5 + (seen.read.length % 3); turn++) await letOthers();
        underWay--;
        expect(bytes.toString()).toBe(name === 'last' ? name : name.repeat(100));
        end(name);
        seen.ended.push(name);
      },
    };
    return { seen, target };
  }

  test('gets one after the other to read, that many under way, and each folder when the one before is done', async () => {
    const { seen, target } = openTarget();
    const report = await restoreInOrder(repository, snapshot, target, { path: '' });
    expect(report).toMatchObject({ files: 41, folders: 2, problems: [] });
    expect(seen.read).toEqual([...names, 'last']);
    expect(seen.ended.toSorted()).toEqual([...names, 'last'].toSorted());
    expect([seen.most, seen.folders]).toEqual([10, ['', 'a', 'b']]);
  });

  test('names what it cannot take, and gets the rest', async () => {
    const { target } = openTarget((name) => {
      if (name === 'file 03' || name === 'file 39') throw new AppError('restore/not-written', 'No.');
    });
    const report = await restoreInOrder(repository, snapshot, target, { path: '' });
    expect(report.files).toBe(39);
    expect(report.problems.map(({ path }) => path)).toEqual(['a/file 03', 'a/file 39']);
  });

  test('reads nothing of what is left of a file with which it ends', async () => {
    const loaded: string[] = [];
    const counting: Repository = Object.create(repository, {
      loadBlobs: {
        value: async function* (...asked: Parameters<Repository['loadBlobs']>) {
          for await (const blob of repository.loadBlobs(...asked)) {
            loaded.push(blob.id);
            yield blob;
          }
        },
      },
    });
    const target: StreamTarget = {
      makeFolder: async () => {},
      makeLink: async () => {},
      writeFile: async () => {
        throw new AppError('source/full', 'Full.');
      },
    };
    await expect(restoreInOrder(counting, snapshot, target, { path: '' })).rejects.toMatchObject({
      code: 'source/full',
    });
    expect(loaded).toEqual([]);
  });

  test('gets no more once it can take nothing any more, and the report says how far it came', async () => {
    const { seen, target } = openTarget((name) => {
      if (name === 'file 05') throw new AppError('source/full', 'Full.');
    });
    const report = emptyReport();
    await expect(restoreInOrder(repository, snapshot, target, { path: '', report })).rejects.toMatchObject({
      code: 'source/full',
    });
    expect(seen.read.length).toBeLessThan(25);
    expect(report.files).toBe(seen.ended.length);
    expect(seen.folders).toEqual(['', 'a']);
  });
});
