import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openBlob, sealBlob } from '../../../../src/store/format/blob.ts';
import { createMasterKey } from '../../../../src/store/format/envelope.ts';
import { idOf } from '../../../../src/store/format/ids.ts';
import {
  decodePackHeader,
  encodeEntry,
  encodePackHeader,
  headerLength,
  packSize,
} from '../../../../src/store/format/pack-header.ts';

const key = createMasterKey();
const damaged = expect.objectContaining({ code: 'repository/damaged' });

describe('blobs', () => {
  test('that shrink are compressed, random ones are stored as they are, trees are always compressed', () => {
    expect(sealBlob(key, 'data', Buffer.alloc(5000, 'ab')).uncompressedLength).toBe(5000);
    expect(sealBlob(key, 'data', randomBytes(5000)).uncompressedLength).toBeUndefined();
    expect(sealBlob(key, 'tree', randomBytes(50)).uncompressedLength).toBe(50);
  });

  test('are identified by the hash of their plaintext', () => {
    const bytes = Buffer.from('plain');
    expect(sealBlob(key, 'data', bytes).id).toBe(idOf(bytes));
  });

  test('open to what was sealed', () => {
    for (const bytes of [randomBytes(1), Buffer.alloc(100_000, 'text '), randomBytes(2 ** 20)]) {
      const { id, sealed, uncompressedLength } = sealBlob(key, 'data', bytes);
      expect(openBlob(key, id, sealed, uncompressedLength).equals(bytes)).toBe(true);
    }
  });

  test('do not open under another id, another length or another key', () => {
    const { id, sealed, uncompressedLength } = sealBlob(key, 'tree', Buffer.from('{"nodes":[]}\n'));
    expect(() => openBlob(key, idOf(Buffer.from('x')), sealed, uncompressedLength)).toThrow(damaged);
    expect(() => openBlob(key, id, sealed, 12)).toThrow(damaged);
    expect(() => openBlob(key, id, sealed, 14)).toThrow(damaged);
    expect(() => openBlob(key, id, sealed)).toThrow(damaged);
    expect(() => openBlob(createMasterKey(), id, sealed, uncompressedLength)).toThrow(damaged);
  });

  test('that are sealed under an id given wrongly are found before they are handed out', () => {
    expect(() => sealBlob(key, 'data', Buffer.from('a'), idOf(Buffer.from('b')))).toThrow(damaged);
  });

  test('are never empty', () => {
    expect(() => sealBlob(key, 'data', Buffer.of())).toThrow(RangeError);
  });
});

describe('pack header', () => {
  const blobs = [randomBytes(100), Buffer.alloc(300, 'z'), randomBytes(7)].map((bytes) => sealBlob(key, 'data', bytes));
  const entries = blobs.map(({ sealed, ...blob }) => ({ ...blob, length: sealed.length }));

  test('tells the blobs and their offsets', () => {
    const bytes = encodePackHeader(key, Buffer.concat(entries.map(encodeEntry)));
    expect(headerLength(bytes)).toBe(bytes.length - 4);
    const offsets = [0, entries[0]?.length ?? 0, (entries[0]?.length ?? 0) + (entries[1]?.length ?? 0)];
    const decoded = decodePackHeader(key, bytes.subarray(0, -4));
    expect(decoded).toEqual(entries.map((entry, at) => ({ ...entry, offset: offsets[at] })));
  });

  test('makes a pack exactly as long as computed', () => {
    const pack = Buffer.concat([
      ...blobs.map(({ sealed }) => sealed),
      encodePackHeader(key, Buffer.concat(entries.map(encodeEntry))),
    ]);
    expect(pack.length).toBe(packSize(entries));
    expect(pack.length).toBe(36 + entries.reduce((sum, e) => sum + e.length + (e.uncompressedLength ? 41 : 37), 0));
  });

  test('refuses a length that no header has', () => {
    for (const length of [0, 31, 16 * 1024 * 1024 + 1]) {
      const tail = Buffer.alloc(4);
      tail.writeUInt32LE(length);
      expect(() => headerLength(tail)).toThrow(damaged);
    }
  });
});
