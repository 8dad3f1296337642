import { expect, test } from 'vitest';
import { nearest } from '../../src/nearest.ts';

const words = ['HOST', 'PORT', 'WINDOW', 'OIDC_ISSUER', 'OFFLINE_IDLE', 'OFFLINE_MAX'];

test.each([
  ['PROT', 'PORT'],
  ['PORTS', 'PORT'],
  ['WINDO', 'WINDOW'],
  ['OIDC_ISSUR', 'OIDC_ISSUER'],
  ['OIDCISUER', 'OIDC_ISSUER'],
  ['OFFLINE_IDEL', 'OFFLINE_IDLE'],
  ['PORT', 'PORT'],
])('%s is near to %s', (word, meant) => expect(nearest(word, words)).toBe(meant));

test.each(['HOME', 'PATH', 'WINDOWID', 'OIDC', 'OFFLINE', ''])('%j is near to none', (word) =>
  expect(nearest(word, words)).toBeUndefined(),
);

test('of two the nearer one is meant', () => {
  expect(nearest('keys rotates', ['keys rotation', 'keys rotate'])).toBe('keys rotate');
});
