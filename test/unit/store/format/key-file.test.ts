import { scryptSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createMasterKey } from '../../../../src/store/format/envelope.ts';
import { costOf, createKeyFile, openKeyFile, readKeyFacts } from '../../../../src/store/format/key-file.ts';

const facts = { created: '2026-01-02T03:04:05Z', username: 'alice', hostname: 'nightkeep' };
const cheap = { N: 1024, r: 8, p: 1 };

describe('key files', () => {
  test('scrypt derives the known key', () => {
    const derived = scryptSync('pw', Buffer.alloc(64, 7), 64, cheap).toString('hex');
    expect(derived).toMatch(/^ea39d18d8ff6b389e42a117261dc2ea2c9db03072787c5d35d9711817b78b082/);
  });

  test('open with their password and with no other', async () => {
    const key = createMasterKey();
    const { bytes } = await createKeyFile(key, 'grüße', facts, cheap);
    expect(await openKeyFile(bytes, 'grüße')).toEqual(key);
    expect(await openKeyFile(bytes, 'gruesse')).toBeUndefined();
    expect(readKeyFacts(bytes)).toEqual(facts);
  });

  test.each([
    ['N that is no power of two', { N: 1000 }],
    ['more memory than any program takes', { N: 2 ** 19 }],
    ['more work than any program does', { N: 2 ** 15, p: 64 }],
    ['work without an end', { N: 2, r: 1, p: 2 ** 29 }],
    ['another function', { kdf: 'pbkdf2' }],
    ['a short salt', { salt: Buffer.alloc(32).toString('base64') }],
    ['no p', { p: 0 }],
  ])('refuse %s', async (_, change) => {
    const { bytes } = await createKeyFile(createMasterKey(), 'pw', facts, cheap);
    const changed = Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), ...change }));
    await expect(openKeyFile(changed, 'pw')).rejects.toMatchObject({ code: 'repository/damaged' });
  });

  test.each([
    ['a key of zeros to encrypt with', () => ({ encrypt: Buffer.alloc(32) })],
    ['a short one', () => ({ encrypt: Buffer.alloc(16, 1) })],
    ['a key of zeros to authenticate with', ({ r }: { r: Uint8Array }) => ({ mac: { k: Buffer.alloc(16), r } })],
  ])('give out no master key with %s', async (_, change) => {
    const whole = createMasterKey();
    const { bytes } = await createKeyFile({ ...whole, ...change(whole.mac) }, 'pw', facts, cheap);
    await expect(openKeyFile(bytes, 'pw')).rejects.toMatchObject({ code: 'repository/damaged' });
  });

  test.each([
    ['ours for people', { N: 2 ** 15 }, 1],
    ['ours for the service', { N: 2 ** 10 }, 1],
    ['what restic takes on a fast machine', { N: 2 ** 15, p: 12 }, 12],
    ['what rustic takes', { N: 2 ** 17 }, 4],
  ])('cost as many tries as they do: %s', async (_, change, cost) => {
    const { bytes } = await createKeyFile(createMasterKey(), 'pw', facts, cheap);
    expect(costOf(Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), ...change })))).toBe(cost);
  });
});
