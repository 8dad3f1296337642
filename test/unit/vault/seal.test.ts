import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { isAppError } from '../../../src/errors.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { fingerprint, seal, unseal } from '../../../src/vault/seal.ts';

const line = (id: string) => `${id}:${randomBytes(32).toString('base64url')}`;
const code = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return isAppError(error) ? error.code : error;
  }
};
const binding = { purpose: 'offline token', owner: 'user/grant/1' };
const read = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test('what was sealed opens again, and shows nothing of the text', () => {
  const keyring = parseKeyring(line('a'));
  const { sealed, keyId } = seal(keyring, binding, 'my token ü');
  expect(keyId).toBe('a');
  expect(read(unseal(keyring, binding, sealed))).toBe('my token ü');
  expect(read(sealed)).not.toContain('token');
  expect(read(seal(keyring, binding, 'my token ü').sealed)).not.toBe(read(sealed));
});

test('a sealed value opens for nobody else, and not once any byte was altered', () => {
  const keyring = parseKeyring(line('a'));
  const { sealed } = seal(keyring, binding, 'x');
  expect(code(() => unseal(keyring, { ...binding, owner: 'user/grant/2' }, sealed))).toBe('seal/broken');
  expect(code(() => unseal(keyring, { ...binding, purpose: 'DPoP key' }, sealed))).toBe('seal/broken');
  expect(code(() => unseal(keyring, { purpose: 'offline tokenu', owner: 'ser/grant/1' }, sealed))).toBe('seal/broken');
  for (let index = 0; index < sealed.length; index += 1) {
    const altered = sealed.map((byte, at) => (at === index ? byte ^ 1 : byte));
    expect(code(() => unseal(keyring, binding, altered))).toMatch(/^seal\//);
  }
  expect(code(() => unseal(keyring, binding, sealed.subarray(0, 20)))).toBe('seal/broken');
});

test('a sealed value opens under the id of its key alone, though another id names the same key', () => {
  const key = randomBytes(32).toString('base64url');
  const keyring = parseKeyring(`a:${key}\nb:${key}`);
  const { sealed } = seal(keyring, binding, 'x');
  const renamed = sealed.map((byte, at) => (at === 2 ? 'b'.charCodeAt(0) : byte));
  expect(code(() => unseal(keyring, binding, renamed))).toBe('seal/broken');
});

test('the newest key seals, older ones still open, and fingerprints stay the same', () => {
  const old = line('old');
  const before = parseKeyring(old);
  const after = parseKeyring(`# rotated\n${line('new')}\n${old}\n`);
  const { sealed } = seal(before, binding, 'x');
  expect(read(unseal(after, binding, sealed))).toBe('x');
  expect(seal(after, binding, 'x').keyId).toBe('new');
  expect(code(() => unseal(before, binding, seal(after, binding, 'x').sealed))).toBe('seal/unknown-key');
  expect(fingerprint(after, 'x')).toEqual(fingerprint(before, 'x'));
  expect(fingerprint(after, 'y')).not.toEqual(fingerprint(before, 'x'));
});

test('a keyring that cannot be right is refused without repeating a key', () => {
  const good = line('a');
  for (const text of ['', 'a', 'a:short', `${good}x`, `${good}\n${good}`, ':'.repeat(44), `a b:${good.slice(2)}`]) {
    expect(code(() => parseKeyring(text))).toBe('keyring/invalid');
  }
  expect(() => parseKeyring('a:secretpart')).not.toThrow(/secretpart/);
});
