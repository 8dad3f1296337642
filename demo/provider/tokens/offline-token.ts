import { randomUUID } from 'node:crypto';
import type { Keys } from '../realm/keys.ts';
import type { Realm } from '../realm/realm.ts';

/** An offline token as the provider stores it. Times are seconds since the epoch. */
export interface OfflineToken extends TokenGrounds {
  readonly token: string;
  readonly jti: string;
  readonly issuedAt: number;
  /** Only where Offline Session Max is limited. */
  readonly expiresAt?: number;
  /** The chain in which its uses are counted; only with Revoke Refresh Token on. */
  readonly reuseId?: string;
  /** The `jti` of the token that was exchanged for it, and of the first token of that login. */
  readonly parent?: string;
  readonly login: string;
  /** Who issued it, and which secret signed it. */
  readonly issuer: string;
  readonly keyId: string;
}

/** What a token is issued for. */
export interface TokenGrounds {
  /** The offline session: tokens of one browser session (or one login without a browser) share it. */
  readonly sid: string;
  readonly clientId: string;
  readonly subject: string;
  readonly scope: string;
  /** Thumbprint of the key whose possession must be proved (RFC 9449). */
  readonly jkt?: string | undefined;
  readonly nonce?: string | undefined;
}

/** A signed offline token with Keycloak's claims. */
export function newOfflineToken(
  { realm, keys }: { realm: Realm; keys: Keys },
  { sid, clientId, subject, scope, jkt, nonce }: TokenGrounds,
  {
    issuedAt,
    expiresAt,
    parent,
  }: { issuedAt: number; expiresAt?: number | undefined; parent?: OfflineToken | undefined },
): OfflineToken {
  const { revokeRefreshToken } = realm.settings();
  const jti = randomUUID();
  const reuseId = parent?.reuseId ?? (revokeRefreshToken ? randomUUID() : undefined);
  const claims = {
    ...(expiresAt !== undefined && { exp: expiresAt }),
    iat: Math.floor(issuedAt),
    jti,
    iss: realm.issuer,
    aud: realm.issuer,
    sub: subject,
    typ: 'Offline',
    azp: clientId,
    ...(nonce !== undefined && { nonce }),
    sid,
    scope,
    ...(jkt !== undefined && { cnf: { jkt } }),
    ...(reuseId !== undefined && { reuse_id: reuseId }),
  };
  return {
    token: realm.settings().manner.opaque ? `offline.${jti}` : keys.signOffline(claims),
    issuer: realm.issuer,
    keyId: keys.offlineKeyId(),
    jti,
    issuedAt,
    sid,
    clientId,
    subject,
    scope,
    login: parent?.login ?? jti,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(reuseId !== undefined && { reuseId }),
    ...(parent && { parent: parent.jti }),
    ...(jkt !== undefined && { jkt }),
    ...(nonce !== undefined && { nonce }),
  };
}
