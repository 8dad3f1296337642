import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settings } from '../../../src/config/settings.ts';

const realm = JSON.parse(readFileSync('deploy/keycloak/nightkeep-realm.json', 'utf8'));
const [client] = realm.clients;

test('the client may ask for offline access, and keeps the scopes that carry a person', () => {
  expect(client.optionalClientScopes).toEqual(['offline_access']);
  expect(client.defaultClientScopes.toSorted()).toEqual(['acr', 'basic', 'email', 'profile', 'roles', 'web-origins']);
});

test('the client is confidential, its secret comes from outside, and the answer goes back to one place', () => {
  expect(client).toMatchObject({
    publicClient: false,
    secret: expect.stringMatching(/^\$\{NIGHTKEEP_CLIENT_SECRET\}$/),
    redirectUris: [expect.stringMatching(/^\$\{NIGHTKEEP_URL\}\/callback$/)],
    directAccessGrantsEnabled: false,
    consentRequired: true,
  });
  expect(client.attributes['pkce.code.challenge.method']).toBe('S256');
});

test('offline tokens rotate, one answer may be lost, and they outlive a logout', () => {
  expect(realm).toMatchObject({ revokeRefreshToken: true, refreshTokenMaxReuse: 1 });
  expect(client.attributes['backchannel.logout.revoke.offline.tokens']).toBe('false');
});

test('alice and bob may have offline access; the operator has the role that opens their pages, in the claim that is read', () => {
  const roles = Object.fromEntries(
    realm.users.map((user: { username: string; realmRoles: string[] }) => [user.username, user.realmRoles]),
  );
  expect(roles.alice).toContain('offline_access');
  expect(roles.bob).toContain('offline_access');
  expect(roles.operator).toContain(settings.OPERATOR_ROLE.default);
  expect(realm.roles.realm).toMatchObject([{ name: settings.OPERATOR_ROLE.default }]);
  expect(client.protocolMappers[0].config).toMatchObject({
    'claim.name': settings.ROLES_CLAIM.default,
    'id.token.claim': 'true',
  });
});

test('everything it takes from the environment is given by the compose file', () => {
  const compose = readFileSync('docker-compose.yml', 'utf8');
  for (const [, name] of JSON.stringify(realm).matchAll(/\$\{(\w+)\}/g))
    expect(compose).toMatch(new RegExp(`${name}[:=]`));
});
