import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { ClientRow } from '../realm/client.ts';
import type { Realm } from '../realm/realm.ts';
import { Refusal } from './refusal.ts';

/** Who asks at the token endpoint. Throws the refusal that Keycloak answers. */
export type AuthenticateClient = (authorization: string, form: URLSearchParams) => Promise<ClientRow>;

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Client authentication (RFC 6749, section 2.3; RFC 7523), by the one method that the client is registered with.
 * A client that is unknown or disabled is `invalid_client`, a wrong secret `unauthorized_client`: both 401.
 */
export function openClientAuthentication(realm: Realm): AuthenticateClient {
  const verify = assertionCheck(realm);
  return async (authorization, form) => {
    const basic = readBasic(authorization);
    const assertion = form.get('client_assertion');
    const id = basic?.id ?? form.get('client_id') ?? subjectOf(assertion);
    if (!id) throw new Refusal(400, 'invalid_client', 'Missing client_id parameter');
    const client = realm.clients.get(id);
    if (!client?.enabled) throw refused('invalid_client');
    if (client.authentication === 'private_key_jwt') {
      if (form.get('client_assertion_type') !== assertionType || !assertion) throw refused('unauthorized_client');
      await verify(client, assertion);
      return client;
    }
    if (client.authentication === 'none') return client;
    const given = client.authentication === 'client_secret_basic' ? basic?.secret : form.get('client_secret');
    if (!given || given !== client.secret) throw refused('unauthorized_client');
    return client;
  };
}

export const refused = (error: string) => new Refusal(401, error, 'Invalid client or Invalid client credentials');

/** Assertions are dated by the machine's clock, since clients know no other. Each is accepted once. */
function assertionCheck(realm: Realm) {
  const used = new Set<string>();
  const remote = new Map<string, JWTVerifyGetKey>();
  const keysAt = (url: string) => {
    const keys = remote.get(url) ?? createRemoteJWKSet(new URL(url), { cooldownDuration: 0 });
    remote.set(url, keys);
    return keys;
  };
  const keysOf = ({ publicKeys }: ClientRow) => {
    if (!publicKeys) return createLocalJWKSet({ keys: [] });
    return 'url' in publicKeys ? keysAt(publicKeys.url) : createLocalJWKSet(publicKeys);
  };
  return async (client: ClientRow, assertion: string) => {
    const expected = { issuer: client.id, subject: client.id, requiredClaims: ['exp', 'jti'], clockTolerance: 15 };
    const fault = await jwtVerify(assertion, keysOf(client), {
      ...expected,
      audience: [realm.issuer, `${realm.issuer}/token`],
    })
      .then(({ payload: { jti = '' } }) => (used.size === used.add(jti).size ? 'Token reuse detected' : undefined))
      .catch((error: unknown) => (error instanceof Error ? error.message : 'Invalid assertion'));
    if (fault !== undefined)
      throw new Refusal(400, 'invalid_client', `Client authentication with signed JWT failed: ${fault}`);
  };
}

export function readBasic(authorization: string): { id: string; secret: string } | undefined {
  const [, encoded] = /^Basic ([\w+/=-]+)$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(':', 2);
  return { id: decodePart(id), secret: decodePart(secret) };
}

/** Both halves are form-encoded before they are joined (RFC 6749, section 2.3.1). */
function decodePart(text: string): string {
  return new URLSearchParams(`part=${text}`).get('part') ?? '';
}

function subjectOf(assertion: string | null): string | undefined {
  try {
    return assertion === null ? undefined : decodeJwt(assertion).sub;
  } catch {
    return undefined;
  }
}
