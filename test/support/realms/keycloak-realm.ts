import { generateKeyPair, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import KeycloakAdminClient from '@keycloak/keycloak-admin-client';
import type ClientRepresentation from '@keycloak/keycloak-admin-client/lib/defs/clientRepresentation.js';
import type RealmRepresentation from '@keycloak/keycloak-admin-client/lib/defs/realmRepresentation.js';
import { cloudAudience } from '../../../demo/cloud/access.ts';
import type { Person } from '../../../demo/people.ts';
import type { ProvidedKeycloak } from '../servers/keycloak-server.ts';
import type { ClientKind, Rules, WantedRealm } from './realm.ts';

/** A realm of its own at a running Keycloak, and its administrator. */
export interface KeycloakRealm {
  readonly admin: KeycloakAdminClient;
  readonly name: string;
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** Keycloak's own id of the person: no two realms may have the same. */
  idOf(person: Person): string;
  /** Deletes the realm and imports it as it was at first: everybody is there again, the keys are others. */
  importAgain(): Promise<void>;
}

/**
 * Imports deploy/keycloak/nightkeep-realm.json under a name of its own, with these people and this Nightkeep, which
 * reaches it at `origin` where that is not the server's own.
 */
export async function importRealm(
  { url, administrator }: ProvidedKeycloak,
  { nightkeep, people, rules, client: kind, logoutEndsConsent = false }: WantedRealm,
  origin?: string,
): Promise<KeycloakRealm> {
  const admin = new KeycloakAdminClient({ baseUrl: url.replace(/\/$/, '') });
  await admin.auth({ ...administrator, grantType: 'password', clientId: 'admin-cli' });
  const name = `realm-${randomUUID().slice(0, 8)}`;
  const secret = randomUUID();
  const ids = new Map(people.map(({ username }) => [username, randomUUID()]));
  const idOf = ({ username }: Person) => ids.get(username) ?? '';
  const file = await readRealmFile({ name, nightkeep, secret });
  const users = people.map((person) => accountOf(person, name, idOf(person)));
  const changes = changesOf(kind, nightkeep);
  const logout = { 'backchannel.logout.revoke.offline.tokens': String(logoutEndsConsent) };
  const client = { ...changes, attributes: { ...changes.attributes, ...logout } };
  const realm = { ...forTests(file, client), ...settingsOf(rules), users };
  const create = async () => admin.realms.create({ ...realm, ...(await withNewKeys()) });
  await create();
  return {
    admin,
    name,
    issuer: `${origin === undefined ? url : `${origin}/`}realms/${name}`,
    client: { id: 'nightkeep', secret },
    idOf,
    importAgain: async () => {
      await admin.realms.del({ realm: name });
      await create();
    },
  };
}

/** The names that Keycloak has for the rules. */
export function settingsOf(rules: Rules): RealmRepresentation {
  const { offlineIdleSeconds, offlineMaxSeconds, ssoSeconds, rotation } = rules;
  return {
    ...(offlineIdleSeconds !== undefined && { offlineSessionIdleTimeout: offlineIdleSeconds }),
    ...(offlineMaxSeconds !== undefined && {
      offlineSessionMaxLifespanEnabled: true,
      offlineSessionMaxLifespan: offlineMaxSeconds,
    }),
    ...(ssoSeconds !== undefined && { ssoSessionIdleTimeout: ssoSeconds, ssoSessionMaxLifespan: ssoSeconds }),
    ...(rotation === 'off' && { revokeRefreshToken: false }),
    ...(typeof rotation === 'object' && { revokeRefreshToken: true, refreshTokenMaxReuse: rotation.reuse }),
  };
}

async function readRealmFile(values: { name: string; nightkeep: URL; secret: string }): Promise<RealmRepresentation> {
  const text = await readFile('deploy/keycloak/nightkeep-realm.json', 'utf8');
  return JSON.parse(
    text
      .replace('"realm": "nightkeep"', `"realm": "${values.name}"`)
      .replaceAll('default-roles-nightkeep', `default-roles-${values.name}`)
      .replaceAll(/\$\{NIGHTKEEP_(BACKCHANNEL_)?URL\}/g, values.nightkeep.origin)
      .replaceAll(/\$\{NIGHTKEEP_CLIENT_SECRET\}/g, values.secret)
      .replaceAll(/\$\{WEBDAV_CLIENT_SECRET\}/g, randomUUID()),
  );
}

/** What the tests add: access tokens that the demo's cloud accepts, and passwords that are checked at once. */
function forTests(realm: RealmRepresentation, changes: ClientRepresentation): RealmRepresentation {
  const forTheCloud = {
    name: 'cloud',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: { 'included.custom.audience': cloudAudience, 'access.token.claim': 'true' },
  };
  return {
    ...realm,
    // A hash that is meant to take its time would take most of the suite's.
    passwordPolicy: 'hashAlgorithm(pbkdf2-sha256) and hashIterations(1)',
    clients: (realm.clients ?? []).map((client) =>
      client.clientId !== 'nightkeep'
        ? client
        : {
            ...client,
            ...changes,
            attributes: { ...client.attributes, ...changes.attributes },
            protocolMappers: [...(client.protocolMappers ?? []), forTheCloud],
          },
    ),
  };
}

/** Keys of its own for a realm: Keycloak takes two seconds of a processor to make those that it would make otherwise. */
async function withNewKeys(): Promise<object> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const base64 = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  const provider = (providerId: string, config: Record<string, string> = {}) => ({
    name: providerId,
    providerId,
    config: Object.fromEntries(Object.entries({ priority: '100', ...config }).map(([name, value]) => [name, [value]])),
  });
  const keys = [
    provider('rsa', { privateKey: base64 }),
    provider('hmac-generated', { algorithm: 'HS512' }),
    provider('aes-generated'),
  ];
  return { components: { 'org.keycloak.keys.KeyProvider': keys } };
}

/** What makes of the client in the file one of another kind. */
function changesOf(kind: ClientKind | undefined, nightkeep: URL): ClientRepresentation {
  switch (kind) {
    case 'confidential, with a secret':
    case undefined:
      return {};
    case 'confidential, its requests must be pushed':
      return { attributes: { 'require.pushed.authorization.requests': 'true' } };
    case 'confidential, with a private key': {
      const keys = { 'use.jwks.url': 'true', 'jwks.url': new URL('jwks', nightkeep).href };
      return { clientAuthenticatorType: 'client-jwt', attributes: keys };
    }
    case 'public, its tokens bound to a key':
      return { publicClient: true, attributes: { 'dpop.bound.access.tokens': 'true' } };
    case 'confidential, for other devices':
      return { attributes: { 'oauth2.device.authorization.grant.enabled': 'true' } };
    case 'confidential, with passwords of people':
      return { directAccessGrantsEnabled: true, consentRequired: false };
    case 'confidential, for itself': {
      const attributes = { 'client_credentials.use_refresh_token': 'true' };
      return { serviceAccountsEnabled: true, consentRequired: false, attributes };
    }
  }
}

function accountOf({ username, password, name, email, roles }: Person, realm: string, id: string) {
  const [firstName = '', lastName = ''] = name.split(' ');
  return {
    id,
    username,
    firstName,
    lastName,
    email,
    emailVerified: true,
    enabled: true,
    credentials: [{ type: 'password', value: password, temporary: false }],
    // The role offline_access is in the default ones, as it is for people who register.
    realmRoles: [`default-roles-${realm}`, ...roles],
  };
}
