import { expect, test } from 'vitest';
import { isSameSecret } from '../../../src/vault/same-secret.ts';

test('a secret is the same as itself alone, whatever the length of the other', () => {
  expect(isSameSecret('a secret', 'a secret')).toBe(true);
  for (const other of ['', 'a', 'a secreT', 'a secret ', 'a secret, and more'])
    expect(isSameSecret('a secret', other)).toBe(false);
});
