import type { JWK } from 'jose';
import type { AdapterPayload } from 'oidc-provider';

/** A relying party that the demo's provider knows. */
export interface DemoClient {
  readonly id: string;
  /** How the consent page names it. */
  readonly name: string;
  readonly authentication: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
  /** For the two secret methods. */
  readonly secret?: string;
  /** For private_key_jwt: the public keys, or where the client publishes them. */
  readonly publicKeys?: { keys: JWK[] } | { url: string };
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris?: readonly string[];
  /** Gets a logout token when the person signs out at the provider; its ID tokens then carry `sid`. */
  readonly backchannelLogoutUri?: string;
}

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** The client as OpenID Connect Dynamic Client Registration names its members. */
export function metadataOf(client: DemoClient): AdapterPayload {
  const { secret, publicKeys, postLogoutRedirectUris, backchannelLogoutUri } = client;
  return {
    client_id: client.id,
    client_name: client.name,
    token_endpoint_auth_method: client.authentication,
    grant_types: ['authorization_code', 'refresh_token', deviceGrant],
    response_types: ['code'],
    redirect_uris: [...client.redirectUris],
    ...(secret !== undefined && { client_secret: secret }),
    ...(publicKeys && ('url' in publicKeys ? { jwks_uri: publicKeys.url } : { jwks: publicKeys })),
    ...(postLogoutRedirectUris && { post_logout_redirect_uris: [...postLogoutRedirectUris] }),
    ...(backchannelLogoutUri !== undefined && {
      backchannel_logout_uri: backchannelLogoutUri,
      backchannel_logout_session_required: true,
    }),
  };
}
