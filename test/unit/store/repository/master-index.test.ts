import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import type { PackedBlob } from '../../../../src/store/format/blob.ts';
import { type BlobId, type PackId, parseId } from '../../../../src/store/format/ids.ts';
import { createMasterIndex, openSharedIndex } from '../../../../src/store/repository/master-index.ts';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const pack = (n: number) => parseId<PackId>(hash(`pack${n}`));
const id = (n: number) => parseId<BlobId>(hash(`blob${n}`));
const blob = (n: number, type: 'data' | 'tree' = 'data'): PackedBlob => ({
  type,
  id: id(n),
  offset: n * 10,
  length: 40 + n,
  ...(n % 2 ? { uncompressedLength: n } : {}),
});

describe('the master index', () => {
  test('finds what was inserted, by type', () => {
    const index = createMasterIndex();
    index.insertPack(pack(1), [blob(1), blob(2, 'tree')]);
    expect(index.find('data', id(1))).toEqual({ packId: pack(1), offset: 10, length: 41, uncompressedLength: 1 });
    expect(index.find('tree', id(2))).toEqual({ packId: pack(1), offset: 20, length: 42 });
    expect(index.has('tree', id(1))).toBe(false);
    expect(index.has('data', id(3))).toBe(false);
    expect(index.size).toBe(2);
  });

  test('keeps every copy, and a pack that comes twice only once', () => {
    const index = createMasterIndex();
    index.insertPack(pack(1), [blob(1)]);
    index.insertPack(pack(2), [blob(1), blob(2)]);
    index.insertPack(pack(1), [blob(1)]);
    index.insertPack(pack(1), [blob(1), blob(4)]);
    expect(index.findAll('data', id(1)).map(({ packId }) => packId)).toEqual([pack(1), pack(2)]);
    expect(Array.from(index.packs())).toEqual([
      { id: pack(1), blobs: [blob(1), blob(4)] },
      { id: pack(2), blobs: [blob(1), blob(2)] },
    ]);
  });

  test('grows, and stays right', () => {
    const index = createMasterIndex();
    for (let p = 0; p < 50; p++)
      index.insertPack(
        pack(p),
        Array.from({ length: 1000 }, (_, n) => blob(p * 1000 + n)),
      );
    expect(index.size).toBe(50_000);
    for (let n = 0; n < 50_000; n += 7) {
      expect(index.find('data', id(n))).toMatchObject({ packId: pack(Math.floor(n / 1000)), offset: n * 10 });
    }
    expect(index.has('data', id(50_000))).toBe(false);
  });

  test('numbers its blobs', () => {
    const index = createMasterIndex();
    index.insertPack(pack(1), [blob(0), blob(1), blob(2)]);
    expect([0, 1, 2, 3].map((n) => index.position('data', id(n)))).toEqual([0, 1, 2, undefined]);
  });

  test('takes well below 100 bytes a blob', () => {
    const index = createMasterIndex();
    for (let p = 0; p < 100; p++)
      index.insertPack(
        pack(p),
        Array.from({ length: 1000 }, (_, n) => blob(p * 1000 + n)),
      );
    const { table, rows, packIds } = index.share();
    const bytes = [table, ...rows, ...packIds].reduce((sum, buffer) => sum + buffer.byteLength, 0);
    expect(bytes / index.size).toBeLessThan(75);
  });

  test('that another thread shared finds what was there, and what came since at worst not', () => {
    const index = createMasterIndex();
    index.insertPack(pack(1), [blob(1)]);
    const shared = openSharedIndex(index.share());
    for (let n = 2; n < 60_000; n++) index.insertPack(pack(n >> 10), [blob(n)]);
    expect(shared.find('data', id(1))).toEqual(index.find('data', id(1)));
    for (let n = 2; n < 60_000; n += 1000) {
      if (shared.has('data', id(n))) expect(shared.find('data', id(n))).toEqual(index.find('data', id(n)));
    }
    expect(openSharedIndex(index.share()).has('data', id(59_999))).toBe(true);
  });

  test('may be read in a worker thread', async () => {
    const index = createMasterIndex();
    index.insertPack(pack(1), [blob(1)]);
    const module = new URL('../../../../src/store/repository/master-index.ts', import.meta.url).href;
    const code = `import { parentPort, workerData } from 'node:worker_threads';
      const { openSharedIndex } = await import(${JSON.stringify(module)});
      parentPort.postMessage(openSharedIndex(workerData.shared).find('data', workerData.id));`;
    const workerData = { shared: index.share(), id: id(1) };
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData });
    const found = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    expect(found).toEqual(index.find('data', id(1)));
  });
});
