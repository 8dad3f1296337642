import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { isAppError } from '../../../src/errors.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { openPassword, personSealing, sealPassword } from '../../../src/vault/row-seals.ts';

const keyring = parseKeyring(`a:${randomBytes(32).toString('base64url')}`);
const people = personSealing(keyring);
const alice = { id: 'alice', issuer: 'https://id.example', subject: 's', username: 'alice', claims: { a: 1, b: 2 } };
const code = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return isAppError(error) ? error.code : error;
  }
};

test('the seal of a row holds for what it says, in whichever order, and for nothing else', () => {
  const seal = people.seal(alice);
  expect(people.require({ ...alice, seal })).toBe(1);
  expect(people.require({ ...alice, claims: { b: 2, a: 1 }, seal })).toBe(1);
  for (const changed of [{ id: 'bob' }, { issuer: 'https://other.example' }, { subject: 't' }, { username: null }])
    expect(code(() => people.require({ ...alice, ...changed, seal }))).toBe('seal/broken');
  expect(code(() => people.require({ ...alice, claims: { a: 1 }, seal }))).toBe('seal/broken');
  expect(code(() => people.require({ ...alice, seal: null }))).toBe('seal/broken');
});

test('a row that changes gets a higher number, one that stays keeps its seal, and a broken one is not made good', () => {
  const seal = people.seal(alice);
  expect(people.reseal({ ...alice, seal }, alice)).toBe(seal);
  const renamed = { ...alice, username: 'alicia' };
  const next = people.reseal({ ...alice, seal }, renamed);
  expect(people.require({ ...renamed, seal: next })).toBe(2);
  const back = people.reseal({ ...renamed, seal: next }, alice);
  expect(people.require({ ...alice, seal: back })).toBe(3);
  expect(code(() => people.reseal({ ...renamed, seal }, alice))).toBe('seal/broken');
});

test('the password of a repository opens for its owner, at its place and in its store alone', () => {
  const place = { id: 'r', userId: 'alice', location: 'here', store: null };
  const { sealed: sealedPassword } = sealPassword(keyring, place, 'secret');
  expect(openPassword(keyring, { ...place, sealedPassword })).toBe('secret');
  for (const changed of [{ id: 'q' }, { userId: 'bob' }, { location: 'there' }, { store: 's3:elsewhere' }])
    expect(code(() => openPassword(keyring, { ...place, ...changed, sealedPassword }))).toBe('seal/broken');
});
