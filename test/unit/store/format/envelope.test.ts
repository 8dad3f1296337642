import { describe, expect, test } from 'vitest';
import {
  createMasterKey,
  decrypt,
  decryptSlices,
  encrypt,
  type MasterKey,
} from '../../../../src/store/format/envelope.ts';

const known: MasterKey = {
  encrypt: Buffer.alloc(32, 1),
  mac: { k: Buffer.alloc(16, 2), r: Buffer.alloc(16, 0xff) },
};

describe('envelope', () => {
  test('gives the known ciphertext and tag', () => {
    const envelope = encrypt(known, Buffer.from('hello restic'), Buffer.alloc(16, 3));
    expect(envelope.subarray(16).toString('hex')).toBe('97576dc081d1edb813032ec7a0381905e95188fb495408e35b0c15d9');
    expect(decrypt(known, envelope).toString()).toBe('hello restic');
  });

  test('opens what was sealed, also nothing at all', () => {
    const key = createMasterKey();
    for (const text of ['', 'x', 'y'.repeat(100_000)])
      expect(decrypt(key, encrypt(key, Buffer.from(text))).toString()).toBe(text);
  });

  test('frees each slice as soon as the next one is taken: all of a pack would wait for the garbage collector', () => {
    const content = Buffer.alloc(300_000, 'slice');
    const taken: Uint8Array[] = [];
    let at = 0;
    for (const slice of decryptSlices(known, encrypt(known, content))) {
      expect(taken.every(({ byteLength }) => byteLength === 0)).toBe(true);
      expect(slice.equals(content.subarray(at, at + slice.length))).toBe(true);
      at += slice.length;
      taken.push(slice);
    }
    expect([at, taken.length > 1]).toEqual([content.length, true]);
    expect(taken.every(({ byteLength }) => byteLength === 0)).toBe(true);
  });

  test('never uses an IV twice', () => {
    const ivs = Array.from({ length: 100 }, () => encrypt(known, Buffer.of()).subarray(0, 16).toString('hex'));
    expect(new Set(ivs).size).toBe(100);
  });

  test('refuses an envelope with any bit of ciphertext or tag changed', () => {
    const envelope = encrypt(known, Buffer.from('some text'));
    for (let at = 0; at < envelope.length * 8; at++) {
      const altered = Buffer.from(envelope);
      altered[at >> 3] = (altered[at >> 3] ?? 0) ^ (1 << (at & 7));
      expect(() => decrypt(known, altered)).toThrow(expect.objectContaining({ code: 'repository/damaged' }));
    }
  });

  test('refuses what is too short or has no IV', () => {
    expect(() => decrypt(known, Buffer.alloc(31, 1))).toThrow('shorter');
    expect(() => decrypt(known, Buffer.alloc(40))).toThrow('without an IV');
  });
});
