import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openPacks, packTarget } from '../../../src/store/archiver/open-packs.ts';
import { openBlob, sealBlob } from '../../../src/store/format/blob.ts';
import { createMasterKey } from '../../../src/store/format/envelope.ts';
import { type FinishedPack, openPack } from '../../../src/store/format/pack.ts';
import {
  decodeEntries,
  decodePackHeader,
  headerLength,
  packIdOf,
  packSize,
} from '../../../src/store/format/pack-header.ts';

const key = createMasterKey();
const seal = (length: number) => sealBlob(key, 'data', randomBytes(length));

const blobsOf = ({ entries }: FinishedPack) => decodeEntries(entries);

function proveWhole(pack: FinishedPack): void {
  const { id, bytes } = pack;
  const blobs = blobsOf(pack);
  expect(packIdOf(bytes)).toBe(id);
  expect(packSize(blobs)).toBe(bytes.length);
  const length = headerLength(bytes);
  expect(decodePackHeader(key, bytes.subarray(bytes.length - 4 - length, bytes.length - 4))).toEqual(blobs);
  for (const blob of blobs) {
    openBlob(key, blob.id, bytes.subarray(blob.offset, blob.offset + blob.length), blob.uncompressedLength);
  }
}

describe('a pack', () => {
  test('holds its blobs one after the other, and lists them', () => {
    const pack = openPack(key);
    for (const length of [1, 5000, 300_000]) pack.add(seal(length));
    pack.add(sealBlob(key, 'data', Buffer.alloc(100_000, 'text ')));
    proveWhole(pack.finish());
  });

  test('grows beyond the room it was given', () => {
    const pack = openPack(key, new ArrayBuffer(1000));
    for (const length of [800, 800, 800]) pack.add(seal(length));
    proveWhole(pack.finish());
  });
});

describe('the open packs of a thread', () => {
  test('are dealt to at random, stay below their size, and keep trees apart', () => {
    const done: FinishedPack[] = [];
    const packs = openPacks(key, (pack) => done.push(pack));
    const sealed = Array.from({ length: 40 }, () => seal(1_000_000));
    const tree = sealBlob(key, 'tree', Buffer.from('{"nodes":[]}\n'));
    for (const blob of sealed) packs.add(blob);
    packs.add(tree);
    packs.finish();
    for (const pack of done) {
      proveWhole(pack);
      expect(pack.bytes.length).toBeLessThanOrEqual(packTarget.data);
      expect(new Set(blobsOf(pack).map(({ type }) => type)).size).toBe(1);
    }
    expect(done.flatMap((pack) => blobsOf(pack).map(({ id }) => id)).sort()).toEqual(
      [...sealed, tree].map(({ id }) => id).sort(),
    );
    const order = sealed.map(({ id }) => done.findIndex((pack) => blobsOf(pack).some((blob) => blob.id === id)));
    expect(order.filter((pack, at) => at > 0 && pack !== order[at - 1]).length).toBeGreaterThan(5);
  });

  test('give a blob of their whole size a pack of its own', () => {
    const done: FinishedPack[] = [];
    const packs = openPacks(key, (pack) => done.push(pack));
    packs.add(seal(1000));
    packs.add(seal(packTarget.data));
    expect(done.map((pack) => blobsOf(pack).length)).toEqual([1]);
    packs.finish();
    expect(done).toHaveLength(2);
  });

  test('take no more memory than what is expected, and hold more all the same', () => {
    const done: FinishedPack[] = [];
    const packs = openPacks(key, (pack) => done.push(pack), 10_000);
    const sealed = [4000, 4000, 4000, 4000, 4000, 20_000].map(seal);
    for (const blob of sealed) packs.add(blob);
    packs.finish();
    for (const pack of done) proveWhole(pack);
    const sizes = done.map(({ bytes }) => bytes.buffer.byteLength);
    expect(sizes.filter((size) => size > 10_000)).toHaveLength(1);
    expect(done.flatMap((pack) => blobsOf(pack).map(({ id }) => id)).sort()).toEqual(sealed.map(({ id }) => id).sort());
  });

  test.each([undefined, 60_000])(
    'never build two packs in the same memory, however often packs are stored meanwhile (at most %s)',
    (most) => {
      const stored: FinishedPack[] = [];
      const packs = openPacks(key, store, most);
      function store({ id, bytes, entries }: FinishedPack): void {
        stored.push({ id, bytes: bytes.slice(), entries: entries.slice() });
        packs.reuse(bytes.buffer);
      }
      for (let round = 0; round < 6; round += 1) {
        for (const length of [900, 7_000, 20_000]) {
          packs.add(seal(length));
          packs.add(sealBlob(key, 'tree', randomBytes(length)));
        }
        packs.finish();
      }
      for (const pack of stored) proveWhole(pack);
    },
  );

  test('use the memory of a stored pack again', () => {
    const done: FinishedPack[] = [];
    const packs = openPacks(key, (pack) => done.push(pack));
    packs.add(seal(1000));
    packs.finish();
    const room = done[0]?.bytes.buffer ?? new ArrayBuffer(0);
    packs.reuse(room);
    packs.add(seal(1000));
    packs.finish();
    expect(done[1]?.bytes.buffer).toBe(room);
  });
});
