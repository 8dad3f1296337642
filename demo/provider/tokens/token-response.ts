import { randomUUID } from 'node:crypto';
import { cloudAudience } from '../../cloud/access.ts';
import type { Person } from '../../people.ts';
import type { ClientRow } from '../realm/client.ts';
import type { Keys } from '../realm/keys.ts';
import type { Realm, UserRow } from '../realm/realm.ts';
import type { OfflineToken } from './offline-token.ts';

export interface TokenGrant {
  readonly user: UserRow;
  readonly client: ClientRow;
  readonly sid: string;
  /** What the access token is for; a refresh may ask for less than was granted. */
  readonly scope: string;
  readonly nonce?: string | undefined;
  readonly authTime?: number | undefined;
  /** Thumbprint of the key that the access token is bound to. */
  readonly jkt?: string | undefined;
  readonly offline?: OfflineToken | undefined;
  /** Overrides claims of the ID token. */
  readonly idTokenClaims?: Readonly<Record<string, unknown>> | undefined;
}

export type TokenBody = Record<string, unknown>;

/** The response of the token endpoint (RFC 6749, section 5.1) with the members that Keycloak adds. */
export async function tokenResponse(
  { realm, keys }: { realm: Realm; keys: Keys },
  grant: TokenGrant,
): Promise<TokenBody> {
  const { user, client, sid, scope, offline, jkt } = grant;
  const { accessTokenSeconds, notBefore } = realm.settings();
  const now = Math.floor(realm.now());
  const common = { iat: now, iss: realm.issuer, sub: user.subject, azp: client.id, sid };
  const access = {
    ...common,
    exp: now + accessTokenSeconds,
    jti: randomUUID(),
    aud: cloudAudience,
    typ: 'Bearer',
    scope,
    preferred_username: user.username,
    ...(jkt !== undefined && { cnf: { jkt } }),
  };
  const identity = () => ({
    ...common,
    exp: now + accessTokenSeconds,
    jti: randomUUID(),
    aud: client.id,
    typ: 'ID',
    ...(grant.nonce !== undefined && { nonce: grant.nonce }),
    ...(grant.authTime !== undefined && { auth_time: grant.authTime }),
    ...claimsFor(user, scope),
    ...grant.idTokenClaims,
  });
  const openId = scope.split(' ').includes('openid');
  const [accessToken, idToken] = await Promise.all([keys.sign(access), openId && keys.sign(identity())]);
  return {
    access_token: accessToken,
    expires_in: accessTokenSeconds,
    refresh_expires_in: offline?.expiresAt === undefined ? 0 : Math.max(0, offline.expiresAt - now),
    ...(offline && { refresh_token: offline.token }),
    token_type: jkt === undefined ? 'Bearer' : 'DPoP',
    ...(idToken && { id_token: idToken }),
    'not-before-policy': Math.floor(Math.max(notBefore, client.notBefore, user.notBefore)),
    session_state: sid,
    scope,
  };
}

const claimsOfScope: Record<string, (person: Person) => Record<string, unknown>> = {
  openid: ({ roles }) => (roles.length > 0 ? { roles } : {}),
  profile: ({ username, name, zone }) => ({ preferred_username: username, name, zoneinfo: zone }),
  email: ({ email }) => ({ email, email_verified: true }),
};

/** The claims that these scopes disclose. */
export function claimsFor(person: Person, scope: string): { sub: string; [claim: string]: unknown } {
  const claims = scope.split(' ').map((name) => claimsOfScope[name]?.(person) ?? {});
  return { sub: person.subject, ...Object.assign({}, ...claims) };
}
