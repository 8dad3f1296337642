import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { ByteRange } from '../../../../src/store/backend/backend.ts';
import { sealBlob } from '../../../../src/store/format/blob.ts';
import { type DataId, parseId } from '../../../../src/store/format/ids.ts';
import type { IndexedPack } from '../../../../src/store/format/index-file.ts';
import { checkRepository } from '../../../../src/store/repository/check.ts';
import { checkPack, examinePack, piecesOf } from '../../../../src/store/repository/check-pack.ts';
import { openExaminers } from '../../../../src/store/repository/examiners.ts';
import { openRepository, type Repository } from '../../../../src/store/repository/repository.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writePack } from '../../../support/fixtures/repository.ts';

let backend: MemoryBackend;
let repository: Repository;
let packs: IndexedPack[];
let whole: Buffer[];

const manyBytes = 1024 ** 3;

/** Noise, and text that was compressed. */
beforeAll(async () => {
  backend = openMemoryBackend();
  repository = await newRepository(backend);
  packs = [];
  for (let number = 0; number < 10; number += 1) {
    const contents = [randomBytes(1_900_000), Buffer.from(`${number} `.repeat(200_000)), randomBytes(300)];
    packs.push(
      await writePack(
        repository,
        contents.map((content) => sealBlob(repository.masterKey, 'data', content)),
      ),
    );
  }
  await repository.saveIndex(packs);
  whole = await Promise.all(packs.map(({ id }) => backend.load('data', id)));
});

const fileOf = ({ id }: IndexedPack) => [...backend.files.values()].find(({ name }) => name === id);

test('what is damaged in some of many packs is named, pack by pack in their order, however many threads there are', async () => {
  const flips = fc.dictionary(
    fc.constantFrom(...packs.keys().map(String)),
    fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    { maxKeys: 4 },
  );
  await fc.assert(
    fc.asyncProperty(flips, async (damage) => {
      for (const [index, pack] of packs.entries()) {
        const bytes = Buffer.from(whole[index] ?? '');
        const place = damage[index];
        if (place !== undefined) {
          const at = Math.floor(place * bytes.length);
          bytes[at] = (bytes[at] ?? 0) ^ 4;
        }
        Object.assign(fileOf(pack) ?? {}, { bytes });
      }
      const expected = packs.map((pack) =>
        examinePack(repository.masterKey, pack, fileOf(pack)?.bytes ?? Buffer.alloc(0)),
      );
      using examiners = openExaminers(repository.masterKey, { longestPiece: 1024 * 1024 });
      examiners.expect(manyBytes);
      const inThreads = packs.map((pack) =>
        checkPack(repository, pack, { examiner: examiners, size: fileOf(pack)?.bytes.length ?? 0 }),
      );
      expect(await Promise.all(inThreads)).toEqual(expected);
      const seen: unknown[] = [];
      const opened = await openRepository(backend, 'pw');
      const { findings, packsRead } = await checkRepository(opened, {
        readData: { choose: async () => packs.map(({ id }) => id) },
        onPack: async (id, found) => void seen.push([id, found]),
      });
      expect(packsRead).toBe(packs.length);
      expect(seen).toEqual(packs.map(({ id }, index) => [id, expected[index]]));
      expect(expected.filter((found) => found.length > 0)).toHaveLength(Object.keys(damage).length);
      expect(findings.filter(({ kind }) => kind === 'pack-damaged')).toMatchObject(expected.flat());
    }),
    { numRuns: 6 },
  );
});

test('a thread that dies ends what waits for it with its error, and not with a verdict', async () => {
  const longestPiece = 1024 * 1024;
  using examiners = openExaminers({ ...repository.masterKey, encrypt: new Uint8Array(3) }, { longestPiece });
  examiners.expect(manyBytes);
  const examining = packs.map(async (pack, index) => {
    const bytes = whole[index] ?? Buffer.alloc(0);
    using examination = examiners.examine(pack, bytes.length);
    for (const { offset, length } of piecesOf(pack.blobs, bytes.length, longestPiece))
      await examination.add(new Uint8Array(bytes.subarray(offset, offset + length)));
    return examination.end();
  });
  const outcomes = await Promise.allSettled(examining);
  expect(outcomes.map(({ status }) => status)).toEqual(packs.map(() => 'rejected'));
});

test('threads start only where so much is to be examined that they are worth it', () => {
  using examiners = openExaminers(repository.masterKey, { longestPiece: 1024 * 1024 });
  examiners.expect(100 * 1024 * 1024);
  expect(examiners.width).toBe(2);
  examiners.expect(manyBytes);
  expect(examiners.width).toBe(2 + Math.min(availableParallelism() - 1, 4));
});

test.each([
  ['near are read in pieces, each byte once, so that a check holds a few MiB however long they are', true],
  ['over a network are asked for once each', false],
])('packs of a store %s', async (_, isNear) => {
  const long = openMemoryBackend();
  const made = await newRepository(long);
  const blobs = Array.from({ length: 20 }, () => sealBlob(made.masterKey, 'data', randomBytes(900_000)));
  const pack = await writePack(made, blobs);
  await made.saveIndex([pack]);
  const ranges: ByteRange[] = [];
  const watched = {
    ...long,
    ...(isNear && { isNear }),
    load: (...[type, name, range, memory]: Parameters<MemoryBackend['load']>) => {
      if (type === 'data') ranges.push(range ?? { offset: 0, length: Number.POSITIVE_INFINITY });
      return long.load(type, name, range, memory);
    },
  };
  const { findings, packsRead } = await checkRepository(await openRepository(watched, 'pw'), { readData: 'all' });
  expect([findings, packsRead]).toEqual([[], 1]);
  const size = [...long.files.values()].find(({ name }) => name === pack.id)?.bytes.length;
  expect(ranges.reduce((end, { offset, length }) => (offset === end ? end + length : Number.NaN), 0)).toBe(size);
  if (isNear) expect(Math.max(...ranges.map(({ length }) => length))).toBeLessThan(2.5 * 1024 * 1024);
  else expect(ranges).toHaveLength(1);
});

const blobAt = fc.record({
  type: fc.constant('data' as const),
  id: fc.constant(parseId<DataId>('ab'.repeat(32))),
  offset: fc.nat(30_000_000),
  length: fc.nat(5_000_000),
});

test('the pieces of a pack are all of its bytes, and hold each blob whole, whatever its index says', () => {
  fc.assert(
    fc.property(fc.array(blobAt, { maxLength: 30 }), fc.nat(40_000_000), fc.nat(20_000_000), (blobs, size, longest) => {
      const pieces = [...piecesOf(blobs, size, longest)];
      expect(pieces.reduce((end, { offset, length }) => (offset === end ? end + length : Number.NaN), 0)).toBe(size);
      expect(new Set(pieces.flatMap((piece) => piece.blobs))).toEqual(new Set(blobs));
      for (const { offset, length, blobs: held } of pieces)
        for (const blob of held) {
          const end = Math.min(size, blob.offset + blob.length);
          if (blob.offset < size) expect(offset <= blob.offset && end <= offset + length).toBe(true);
        }
    }),
  );
});
