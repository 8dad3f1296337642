import { expect, it } from 'vitest';
import { personOf, zoneIn } from '../../../src/flows/consent/person.ts';
import type { Authorized } from '../../../src/oidc/authorization.ts';

const told = (claims: Record<string, unknown>) =>
  personOf({ issuer: 'https://id.example', subject: 'a', claims } as unknown as Authorized, new Date(0));

it.each([
  [{ email: 'a@example.org', email_verified: true }, 'a@example.org'],
  [{ email: 'a@example.org' }, 'a@example.org'],
  [{ email: 'a@example.org', email_verified: false }, undefined],
  [{ email: 'a@example.org', email_verified: 'false' }, undefined],
  [{ email_verified: true }, undefined],
])('a mail address counts unless the provider has not verified it: %j', (claims, email) => {
  expect(told(claims).email).toBe(email);
});

it('a claim whose name or value no database keeps is none, and one of the protocol says nothing of a person', () => {
  const claims = { 'a\0b': 'x', 'half \ud800': 'x', nul: 'a\0b', half: '\udc00', list: ['x'], nonce: 'n', own: 'x' };
  expect(told(claims).claims).toEqual({ own: 'x' });
});

it.each([
  'a@example.org, b@example.net',
  'a@example.org;b@example.net',
  'a@example.org b@example.net',
  'a@example.org\r\nBcc: b@example.net',
  'Bob <b@example.net>',
  'everybody: a@example.org, b@example.net;',
  '"a@example.org"@example.net',
  'a@example.org@example.net',
  'a(b@example.net)@example.org',
  'a@[127.0.0.1]',
  '\u202ea@example.org',
  'a@',
  '@example.org',
  `${'a'.repeat(320)}@example.org`,
])('a mail address that may be several, or somewhere else, is none: %j', (email) => {
  expect(told({ email, email_verified: true }).email).toBeUndefined();
});

it.each(["o'brien+night@mail.example.org", 'jörg@müller.example', 'a@localhost'])('an odd one is one: %s', (email) => {
  expect(told({ email }).email).toBe(email);
});

it.each([
  [{ zoneinfo: 'Europe/London' }, 'Europe/London'],
  [{ zoneinfo: 'Mars/North' }, undefined],
  [{ zoneinfo: 7 }, undefined],
  [{}, undefined],
])('a time zone counts where it is one: %j', (claims, zone) => {
  expect(zoneIn(claims)).toBe(zone);
});

it.each([
  ['a'.repeat(1_000), true],
  ['\u{1f319}'.repeat(250), true],
  ['\u{1f319}'.repeat(251), false],
])('a user name that no index takes is none, and stays a claim: %#', (preferred_username, isKept) => {
  const { username, claims } = told({ preferred_username });
  expect(username).toBe(isKept ? preferred_username : undefined);
  expect(claims).toEqual({ preferred_username });
});
