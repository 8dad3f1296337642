import type { Manner } from './manner.ts';

/** What Keycloak calls realm settings, under the names of its admin console. Durations in seconds. */
export interface RealmSettings {
  readonly enabled: boolean;
  readonly accessTokenSeconds: number;
  /** SSO Session Max: how long a sign-in at the provider lasts. */
  readonly ssoSeconds: number;
  /** Offline Session Idle. */
  readonly offlineIdleSeconds: number;
  /** Offline Session Max Limited. */
  readonly offlineMaxLimited: boolean;
  /** Offline Session Max. */
  readonly offlineMaxSeconds: number;
  /** Revoke Refresh Token. */
  readonly revokeRefreshToken: boolean;
  /** Refresh Token Max Reuse. */
  readonly refreshTokenMaxReuse: number;
  /** Revocation policy: tokens issued before this moment (seconds since the epoch) are stale; 0 for none. */
  readonly notBefore: number;
  /** Keycloak 26.4.0 answers `not_allowed` when the role was taken away, after the token was used up. */
  readonly behavesAs: '26.7' | '26.4';
  /** Keycloak refuses every pushed request with `invalid_request`; RFC 9126 names the error. */
  readonly pushedFaultsAs: 'rfc9126' | 'keycloak';
  /** Proofs of possession must carry a nonce of the provider (RFC 9449, section 8). */
  readonly dpopNonce: boolean;
  /** OAuth 2.0 Device Polling Interval. */
  readonly devicePollingSeconds: number;
  /** What it does as another make of provider. */
  readonly manner: Manner;
}

const days = 24 * 3600;

export const defaultSettings: RealmSettings = {
  enabled: true,
  accessTokenSeconds: 300,
  ssoSeconds: 10 * 3600,
  offlineIdleSeconds: 30 * days,
  offlineMaxLimited: false,
  offlineMaxSeconds: 60 * days,
  revokeRefreshToken: true,
  refreshTokenMaxReuse: 0,
  notBefore: 0,
  behavesAs: '26.7',
  pushedFaultsAs: 'keycloak',
  dpopNonce: false,
  devicePollingSeconds: 5,
  manner: {},
};
