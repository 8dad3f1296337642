import * as oidc from 'openid-client';
import {
  type ClientAuthentication,
  type ClientCredentials,
  openClientAuthentication,
} from './client-authentication.ts';
import type { ClientKey } from './client-keys.ts';

/** The provider after discovery, and who Nightkeep is there. */
export interface Connection {
  configuration: oidc.Configuration;
  authentication: ClientAuthentication;
  metadata: oidc.ServerMetadata;
}

export interface ProviderSettings extends ClientCredentials {
  issuer: URL;
  clientId: string;
  /** Whether tokens are bound to a key (RFC 9449); auto where absent. */
  dpop?: 'auto' | 'off' | 'required';
}

const requestSeconds = 15;
const toleratedSkewSeconds = 30;

/** Discovers once for all who ask, and afresh when that failed. */
export function connecting(
  provider: ProviderSettings,
  readKeys: () => Promise<readonly ClientKey[]>,
): () => Promise<Connection> {
  let connection: Promise<Connection> | undefined;
  const discover = async () => {
    const authentication = openClientAuthentication(provider, await readKeys());
    const configuration = await oidc.discovery(
      provider.issuer,
      provider.clientId,
      { [oidc.clockTolerance]: toleratedSkewSeconds },
      authentication.authenticate,
      {
        timeout: requestSeconds,
        execute: isLoopback(provider.issuer) ? [oidc.allowInsecureRequests] : [],
        [oidc.customFetch]: authentication.trying((url, options) => fetch(url, options as RequestInit)),
      },
    );
    return { configuration, authentication, metadata: configuration.serverMetadata() };
  };
  return () => {
    connection ??= discover().catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };
}

/** The same provider with a way of its own to send. */
export function configure({ configuration, authentication, metadata }: Connection, send: oidc.CustomFetch) {
  const own = new oidc.Configuration(
    metadata,
    configuration.clientMetadata().client_id,
    { [oidc.clockTolerance]: toleratedSkewSeconds },
    authentication.authenticate,
  );
  if (isLoopback(new URL(metadata.issuer))) oidc.allowInsecureRequests(own);
  const keys = oidc.getJwksCache(configuration);
  if (keys) oidc.setJwksCache(own, keys);
  own.timeout = requestSeconds;
  own[oidc.customFetch] = authentication.trying(send);
  return own;
}

/** Plain http is for a provider on this machine only. */
function isLoopback({ hostname, protocol }: URL): boolean {
  return (
    protocol === 'http:' && (/^(127(\.\d+){3}|\[::1\]|localhost)$/.test(hostname) || hostname.endsWith('.localhost'))
  );
}
