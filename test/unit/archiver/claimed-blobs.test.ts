import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { createClaimedBlobs, openClaimedBlobs } from '../../../src/store/archiver/claimed-blobs.ts';

const idOf = (n: number) => createHash('sha256').update(`${n}`).digest('hex');

describe('claims', () => {
  test('give each blob to one asker, also when the table grows', () => {
    const claim = openClaimedBlobs(createClaimedBlobs());
    for (let n = 0; n < 40_000; n++) expect(claim(idOf(n))).toBe(true);
    for (let n = 0; n < 40_000; n++) expect(claim(idOf(n))).toBe(false);
    expect(claim(idOf(40_000))).toBe(true);
  });

  test('give each blob to one thread', async () => {
    const memory = createClaimedBlobs();
    const module = new URL('../../../src/store/archiver/claimed-blobs.ts', import.meta.url).href;
    const body = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { createHash } = require('node:crypto');
      import(workerData.module).then(({ openClaimedBlobs }) => {
        const claim = openClaimedBlobs(workerData.memory);
        let mine = 0;
        for (let n = 0; n < 30000; n++) if (claim(createHash('sha256').update(String(n)).digest('hex'))) mine++;
        parentPort.postMessage(mine);
      });`;
    const threads = Array.from({ length: 3 }, () => new Worker(body, { eval: true, workerData: { memory, module } }));
    const mine = await Promise.all(threads.map(async (thread) => (await once(thread, 'message'))[0]));
    await Promise.all(threads.map((thread) => thread.terminate()));
    expect(mine.reduce((sum, count) => sum + count, 0)).toBe(30_000);
  });
});
