import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { openSealing, type Sealing } from '../../../src/store/archiver/sealing.ts';
import { openingBuffers, sealBlob } from '../../../src/store/format/blob.ts';
import { createMasterKey } from '../../../src/store/format/envelope.ts';
import { idOf } from '../../../src/store/format/ids.ts';
import { type FinishedPack, openPack, provePack } from '../../../src/store/format/pack.ts';
import { decodeEntries, packIdOf } from '../../../src/store/format/pack-header.ts';
import { randomPolynomial } from '../../../src/store/format/polynomial.ts';
import { createMasterIndex } from '../../../src/store/repository/master-index.ts';

const indexModule = new URL('../../../src/store/repository/master-index.ts', import.meta.url).href;
const masterKey = createMasterKey();

/** What is stored by this work, as the store has it. */
async function savedBy(
  work: (sealing: Sealing) => Promise<void>,
  options: { threads?: number | undefined; onProcessor?: ((ms: number) => void) | undefined } = {},
): Promise<FinishedPack[]> {
  const packs: FinishedPack[] = [];
  await using sealing = openSealing({
    masterKey,
    chunkerPolynomial: randomPolynomial(),
    index: { ...createMasterIndex(), module: indexModule },
    savePack: async ({ id, bytes, entries }) => {
      packs.push({ id, bytes: bytes.slice(), entries: entries.slice() });
    },
    onFailure: (error) => {
      throw error;
    },
    ...(options.threads !== undefined && { threads: options.threads }),
    onProcessor: options.onProcessor,
  });
  await work(sealing);
  await sealing.finish();
  return packs;
}

/** A night in rounds, each of so many files and a tree, after which all of it is stored. */
function stored(
  rounds: number,
  fileBytes: number,
  threads?: number,
  onProcessor?: (ms: number) => void,
): Promise<FinishedPack[]> {
  return savedBy((sealing) => inRounds(sealing, rounds, fileBytes), { threads, onProcessor });
}

async function inRounds(sealing: Sealing, rounds: number, fileBytes: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const files = Array.from({ length: 3 }, async () => {
      const stream = sealing.openEntry(fileBytes);
      await stream.write(randomBytes(fileBytes));
      await stream.end();
    });
    await sealing.saveTree([randomBytes(9_000)]);
    sealing.post();
    await Promise.all(files);
    await sealing.flush();
  }
}

test.each([
  ['little, by the thread of the caller', 5, 20_000],
  ['little at first and then more', 6, 120_000],
  ['much, by a thread', 3, 3_000_000],
])('what is stored again and again in a night holds what was handed over: %s', async (_, rounds, fileBytes) => {
  const packs = await stored(rounds, fileBytes);
  for (const pack of packs) {
    expect(packIdOf(pack.bytes)).toBe(pack.id);
    provePack(masterKey, pack, openingBuffers());
  }
  const blobs = packs.flatMap(({ entries }) => decodeEntries(entries));
  expect(blobs.filter(({ type }) => type === 'tree')).toHaveLength(rounds);
  expect(blobs.filter(({ type }) => type === 'data').length).toBeGreaterThanOrEqual(3 * rounds);
});

test.each([
  ['as long as the buffers in which they travel', [1024 ** 2, 1024 ** 2, 1024 ** 2]],
  ['of any length', [3 * 1024 ** 2, 700, 9_000_001]],
  ['little more than nothing', [12_000, 1]],
])('a tree is stored whole from pieces %s, and their memory is free afterwards', async (_, lengths) => {
  const pieces = lengths.map((length) => Buffer.from(new Uint8Array(randomBytes(length)).buffer));
  const id = idOf(Buffer.concat(pieces));
  const packs = await savedBy((sealing) => sealing.saveTree(pieces));
  expect(packs.flatMap(({ entries }) => decodeEntries(entries)).map((blob) => blob.id)).toEqual([id]);
  for (const pack of packs) provePack(masterKey, pack, openingBuffers());
  expect(pieces.map(({ length }) => length)).toEqual(pieces.map(() => 0));
});

test('a night that brings one short file takes memory for no more than that', async () => {
  const before = process.memoryUsage().arrayBuffers;
  await stored(1, 300);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
});

test('what a thread of its own had of a processor is told, and nothing where the caller’s own did it', async () => {
  let had = 0;
  const count = (ms: number) => {
    had += ms;
  };
  await stored(2, 20_000, undefined, count);
  expect(had).toBe(0);
  await stored(2, 3_000_000, undefined, count);
  expect(had).toBeGreaterThan(1);
});

test('a pack that was spoilt in memory before it was finished is not handed over', () => {
  const pack = openPack(masterKey, new ArrayBuffer(10_000));
  pack.add(sealBlob(masterKey, 'data', randomBytes(500)));
  pack.add(sealBlob(masterKey, 'data', Buffer.alloc(3_000, 'text ')));
  const whole = pack.finish();
  provePack(masterKey, whole, openingBuffers());
  for (const at of [3, 300, 540]) {
    const bytes = whole.bytes.slice();
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    expect(() => provePack(masterKey, { ...whole, bytes }, openingBuffers())).toThrow(
      expect.objectContaining({ code: 'repository/damaged' }),
    );
  }
});
