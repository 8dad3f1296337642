import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ProviderProfile } from '../../../src/domain/providers/profile.ts';
import { type ProfileName, profileNames, profileOf, profiles } from '../../../src/domain/providers/profiles.ts';
import { meaningOf, type RefusalMeaning } from '../../../src/domain/refusal-meaning.ts';
import { mayResend } from '../../../src/domain/resend.ts';
import { tokenEndingAt } from '../../../src/oidc/token-ending.ts';

const recognised: [string, object | undefined, ProfileName][] = [
  [
    'https://id.example/realms/people',
    { token_endpoint: 'https://id.example/realms/people/protocol/openid-connect/token' },
    'keycloak',
  ],
  [
    'https://id.example/auth/realms/x',
    { token_endpoint: 'https://id.example/auth/realms/x/protocol/openid-connect/token' },
    'keycloak',
  ],
  ['https://id.example/realms/people', undefined, 'generic'],
  ['https://house.eu.auth0.com/', undefined, 'auth0'],
  ['https://login.house.example/', { mfa_challenge_endpoint: 'https://login.house.example/mfa' }, 'auth0'],
  ['https://house.okta.com', undefined, 'okta-org'],
  ['https://house.okta.com/oauth2/default', undefined, 'okta-custom'],
  ['https://notokta.com', undefined, 'generic'],
  ['https://login.microsoftonline.com/0000-11/v2.0', undefined, 'entra'],
  ['https://house.ciamlogin.com/0000/v2.0', undefined, 'entra'],
  ['https://accounts.google.com', undefined, 'google'],
  ['https://accounts.google.com.evil.example', undefined, 'generic'],
  ['https://house.zitadel.cloud', undefined, 'zitadel'],
  ['https://z.example', { token_endpoint: 'https://z.example/oauth/v2/token' }, 'zitadel'],
  ['https://a.example/application/o/nightkeep/', undefined, 'authentik'],
  [
    'https://auth.example',
    {
      token_endpoint: 'https://auth.example/api/oidc/token',
      authorization_endpoint: 'https://auth.example/api/oidc/authorization',
    },
    'authelia',
  ],
  [
    'https://glewlwyd.example/api/oidc',
    {
      token_endpoint: 'https://glewlwyd.example/api/oidc/token',
      authorization_endpoint: 'https://glewlwyd.example/api/oidc/auth',
    },
    'generic',
  ],
  [
    'https://dex.example/dex',
    { jwks_uri: 'https://dex.example/dex/keys', device_authorization_endpoint: 'https://dex.example/dex/device/code' },
    'dex',
  ],
  ['https://dex.example/dex', { jwks_uri: 'https://dex.example/dex/keys' }, 'generic'],
  [
    'https://h.example',
    { token_endpoint: 'https://h.example/oauth2/token', authorization_endpoint: 'https://h.example/oauth2/auth' },
    'hydra',
  ],
  [
    'https://h.example',
    { token_endpoint: 'https://h.example/oauth2/token', authorization_endpoint: 'https://h.example/oauth2/authorize' },
    'generic',
  ],
  ['https://x.example', { token_endpoint: 7, jwks_uri: 'no address' }, 'generic'],
];

test.each(recognised)('%s with %j is %s', (issuer, metadata, name) => {
  expect(profileOf(new URL(issuer), { metadata }).title).toBe(profiles[name].title);
});

test('a name that the operator gives goes before what is recognised', () => {
  const google = new URL('https://accounts.google.com');
  expect(profileNames.map((named) => profileOf(google, { named }))).toEqual(Object.values(profiles));
});

const words: [ProfileName, number, string, object, RefusalMeaning][] = [
  ['keycloak', 400, 'not_allowed', {}, 'permission'],
  ['keycloak', 403, 'access_denied', {}, 'operator'],
  ['keycloak', 403, 'invalid_request', {}, 'operator'],
  ['auth0', 403, 'invalid_grant', {}, 'ended'],
  ['entra', 400, 'invalid_grant', { subcodes: ['50076'] }, 'interaction'],
  ['entra', 400, 'invalid_grant', { subcodes: ['50079', 'basic_action'] }, 'interaction'],
  ['entra', 400, 'invalid_grant', { subcodes: ['65001'] }, 'interaction'],
  ['entra', 400, 'invalid_grant', { subcodes: ['700082'] }, 'ended'],
  ['entra', 400, 'invalid_grant', { subcodes: ['50173'] }, 'ended'],
  ['entra', 401, 'invalid_client', { subcodes: ['7000215'] }, 'operator'],
  ['google', 400, 'invalid_grant', { subcodes: ['invalid_rapt'] }, 'interaction'],
  ['google', 400, 'invalid_grant', {}, 'ended'],
  [
    'dex',
    400,
    'invalid_request',
    { description: 'Refresh token is invalid or has already been claimed by another client.' },
    'ended',
  ],
  ['dex', 400, 'invalid_request', { description: 'Refresh token expired.' }, 'ended'],
  ['dex', 400, 'invalid_request', { description: 'No refresh token is found in request.' }, 'unclear'],
  ['dex', 500, 'invalid_request', { description: 'Refresh token expired.' }, 'transient'],
  ['dex', 400, 'invalid_grant', { description: 'session of the person has ended' }, 'ended'],
  ['generic', 400, 'invalid_request', { description: 'Refresh token expired.' }, 'unclear'],
];

test.each(words)('%s: %i %s %j means %s', (name, status, errorCode, more, meaning) => {
  expect(meaningOf({ status, errorCode, ...more }, profiles[name].refusals)).toBe(meaning);
});

describe('a token whose answer was lost', () => {
  const times = (profile: Pick<ProviderProfile, 'reuse' | 'rotation'>, everyMs: number) => {
    let sent = 1;
    while (mayResend(profile, sent, sent * everyMs)) sent += 1;
    return sent;
  };
  test('is sent again at once only where the make takes it again, and within its grace less a margin', () => {
    expect(profileNames.filter((name) => times(profiles[name], 10) > 1)).toEqual([
      'okta-org',
      'okta-custom',
      'entra',
      'google',
    ]);
    expect(times(profiles['okta-org'], 1_000)).toBe(2);
    expect(times(profiles['okta-org'], 25_000)).toBe(1);
    expect(times(profiles.entra, 60_000)).toBe(3);
    expect(times({ reuse: { graceSeconds: 60, returns: 'same' } }, 10_000)).toBe(3);
    expect(times({ reuse: { graceSeconds: 3, returns: 'same' } }, 10)).toBe(1);
    expect(times({}, 1)).toBe(1);
  });
});

test('a token is ended by us where the provider has an endpoint for it, else by the person on the page that is known', () => {
  const endpoint = { revocation_endpoint: 'https://id.example/revoke' };
  expect(tokenEndingAt(endpoint, profiles.generic)).toEqual({ revocation: true, page: undefined });
  expect(tokenEndingAt({}, profiles.generic)).toEqual({ revocation: false, page: undefined });
  expect(tokenEndingAt({}, profiles.entra)).toEqual({ revocation: false, page: 'https://myapps.microsoft.com' });
  expect(tokenEndingAt({}, profiles.dex)).toEqual({ revocation: false, page: undefined });
});

describe('docs/providers.md', () => {
  const rows = readFileSync('docs/providers.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));

  test.each(Object.entries(profiles))('tells of %s what the data says', (name, profile) => {
    expect(rows).toContain(rowOf(name, profile));
  });

  test('tells of nobody else', () => expect(rows).toHaveLength(profileNames.length));
});

/** A row of the table in docs/providers.md. */
function rowOf(name: string, profile: ProviderProfile): string {
  const { offlineAccess, rotation, ending } = profile;
  const reuse = rotation === 'never' ? 'free' : profile.reuse;
  const asked =
    'scope' in offlineAccess ? offlineAccess.scope : Object.entries(offlineAccess.parameters).flat().join('=');
  const again =
    reuse === undefined
      ? ''
      : typeof reuse === 'string'
        ? reuse
        : reuse.graceSeconds === 0
          ? 'no'
          : `${reuse.graceSeconds} s, ${reuse.returns} token`;
  const days = (span: { seconds: number } | undefined) =>
    span === undefined ? '' : span.seconds < 86_400 ? `${span.seconds / 60} min` : `${span.seconds / 86_400} d`;
  const notes = [
    profile.keptTokenKeepsItsEnd && 'a kept token keeps its end',
    profile.oneGrantPerClient && 'one token for each person and client',
    profile.endsAccessTokens && 'a refresh ends older access tokens',
    profile.introspection === 'untrue' && 'introspection is not believed',
    ...(profile.traps ?? []).map((trap) => `${days(trap)} where ${trap.cause}`),
  ].filter(Boolean);
  const ended = ending === 'rfc7009' ? 'RFC 7009' : (ending.page ?? 'not by Nightkeep');
  const cells = [
    `\`${name}\``,
    profile.title,
    `\`${asked}\``,
    profile.rotation ?? '',
    again,
    days(profile.idle),
    days(profile.maximum),
    ended,
    notes.join('; '),
  ];
  return `| ${cells.join(' | ')} |`.replaceAll(/ +\|/g, ' |').replaceAll('|  |', '| |');
}
