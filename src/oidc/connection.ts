import * as oidc from 'openid-client';
import {
  type ClientAuthentication,
  type ClientCredentials,
  openClientAuthentication,
} from './client-authentication.ts';
import type { ClientKey } from './client-keys.ts';
import { keepingFetch } from './transport.ts';

/** The provider after discovery, and who Nightkeep is there. */
export interface Connection {
  configuration: oidc.Configuration;
  /** The same, for requests that send an offline token: in an attempt, which keeps what comes back. */
  exchanging: oidc.Configuration;
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
    const exchanging = configureExchanges(configuration, authentication);
    return { configuration, exchanging, metadata: configuration.serverMetadata() };
  };
  return () => {
    connection ??= discover().catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };
}

function configureExchanges(configuration: oidc.Configuration, authentication: ClientAuthentication) {
  const metadata = configuration.serverMetadata();
  const exchanging = new oidc.Configuration(
    metadata,
    configuration.clientMetadata().client_id,
    { [oidc.clockTolerance]: toleratedSkewSeconds },
    authentication.authenticate,
  );
  if (isLoopback(new URL(metadata.issuer))) oidc.allowInsecureRequests(exchanging);
  exchanging.timeout = requestSeconds;
  exchanging[oidc.customFetch] = authentication.trying(keepingFetch);
  return exchanging;
}

/** Plain http is for a provider on this machine only. */
function isLoopback({ hostname, protocol }: URL): boolean {
  return (
    protocol === 'http:' && (/^(127(\.\d+){3}|\[::1\]|localhost)$/.test(hostname) || hostname.endsWith('.localhost'))
  );
}
