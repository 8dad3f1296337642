/** An offline token, with what its answer said of it. */
export interface OfflineToken {
  refreshToken: string;
  /** `iat` of the refresh token, where it can be decoded. */
  issuedAt?: Date | undefined;
  /** `exp` of the refresh token where it can be decoded, else the moment that `refresh_expires_in` gives unless it is 0. */
  endsAt?: Date | undefined;
  /** The provider's session id, where a token says it. */
  sid?: string | undefined;
}

/** What a successful token answer held (RFC 6749, section 5.1), read before anything was validated. */
export interface TokenAnswer extends Partial<OfflineToken> {
  accessToken: string;
  /** The access token is bound to the key that it was asked for with: `token_type` is DPoP (RFC 9449, section 5). */
  bound?: true | undefined;
  /** Seconds that the access token lives, from the moment of the answer. */
  expiresIn?: number | undefined;
  scope?: string | undefined;
  /** `sub` of the ID token, else of the access token where it can be decoded. */
  subject?: string | undefined;
  /** `typ` of the refresh token, where it can be decoded: Keycloak says Offline. */
  tokenType?: string | undefined;
}
