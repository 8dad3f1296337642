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

it.each([
  [{ zoneinfo: 'Europe/London' }, 'Europe/London'],
  [{ zoneinfo: 'Mars/North' }, undefined],
  [{ zoneinfo: 7 }, undefined],
  [{}, undefined],
])('a time zone counts where it is one: %j', (claims, zone) => {
  expect(zoneIn(claims)).toBe(zone);
});
