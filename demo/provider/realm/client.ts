import type { JWK } from 'jose';
import type { AdapterPayload } from 'oidc-provider';

/** A relying party that the demo's provider knows. */
export interface DemoClient {
  readonly id: string;
  /** How the consent page names it. */
  readonly name: string;
  /** `none` makes it a public client. */
  readonly authentication: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  /** For the two secret methods. */
  readonly secret?: string;
  /** For private_key_jwt: the public keys, or where the client publishes them. */
  readonly publicKeys?: { keys: JWK[] } | { url: string };
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris?: readonly string[];
  /** Whether people are asked (Keycloak's Consent required); true by default. */
  readonly consentRequired?: boolean;
  /** Whether it may ask with a user name and a password (Direct access grants); false by default. */
  readonly directAccess?: boolean;
  /** Whether it may ask for itself (Service accounts roles, with Use refresh tokens for client credentials grant). */
  readonly serviceAccount?: boolean;
  /** Whether its authorization requests must be pushed (RFC 9126). */
  readonly pushedRequestsRequired?: boolean;
  /** Whether each token request must carry a proof of possession (RFC 9449). */
  readonly dpopRequired?: boolean;
  /** Client Offline Session Idle and Max, where they differ from the realm's; the maximum counts where that is limited. */
  readonly offlineIdleSeconds?: number;
  readonly offlineMaxSeconds?: number;
  /** Gets a logout token when the person signs out at the provider. */
  readonly backchannelLogoutUri?: string;
  /** Whether each of its logout tokens says `revoke_offline_access` (Backchannel logout revoke offline sessions). */
  readonly backchannelLogoutRevokesOffline?: boolean;
}

/** A client with what administrators can change about it. */
export interface ClientRow extends DemoClient {
  readonly enabled: boolean;
  /** Whether `offline_access` is among its optional client scopes. */
  readonly offlineScope: boolean;
  /** Tokens issued before this moment (seconds since the epoch) are stale; 0 for none. */
  readonly notBefore: number;
}

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** The scopes that the client may ask for. */
export const scopesOf = (client: ClientRow): string[] => [
  'openid',
  'profile',
  'email',
  ...(client.offlineScope ? ['offline_access'] : []),
];

/** The client's metadata as OpenID Connect Dynamic Client Registration names it. */
export function metadataOf(client: ClientRow): AdapterPayload {
  const { secret, publicKeys } = client;
  return {
    client_id: client.id,
    client_name: client.name,
    token_endpoint_auth_method: client.authentication,
    grant_types: ['authorization_code', 'refresh_token', deviceGrant],
    response_types: ['code'],
    redirect_uris: [...client.redirectUris],
    scope: scopesOf(client).join(' '),
    require_pushed_authorization_requests: client.pushedRequestsRequired === true,
    ...(secret !== undefined && { client_secret: secret }),
    ...(publicKeys && ('url' in publicKeys ? { jwks_uri: publicKeys.url } : { jwks: publicKeys })),
  };
}
