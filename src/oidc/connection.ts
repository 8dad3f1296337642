import { AsyncLocalStorage } from 'node:async_hooks';
import * as oidc from 'openid-client';
import { authenticatedByFetch, type ClientCredentials, openClientAuthentication } from './client-authentication.ts';
import type { ClientKey } from './client-keys.ts';
import { tidyAnswer } from './tidy-answer.ts';

/** The provider after discovery, and who Nightkeep is there. */
export interface Connection {
  metadata: oidc.ServerMetadata;
  configuration: oidc.Configuration;
  /** The same fetch, but with the proof of who Nightkeep is in each form. */
  authenticated(send: oidc.CustomFetch): oidc.CustomFetch;
  /** A configuration for one exchange, which sends by this fetch. It is made in microseconds. */
  exchanging(send: oidc.CustomFetch): oidc.Configuration;
  /** Does the work, and lists what the provider answered in it, each to be read once more. */
  recording<T>(answers: Response[], work: () => Promise<T>): Promise<T>;
}

export interface ProviderSettings extends ClientCredentials {
  issuer: URL;
  clientId: string;
  /** Whether tokens are bound to a key (RFC 9449); auto where absent. */
  dpop?: 'auto' | 'off' | 'required';
}

const requestSeconds = 15;
const clientMetadata = { [oidc.clockTolerance]: 30 };

/** Discovers once for all who ask, and afresh when that failed. */
export function connecting(
  provider: ProviderSettings,
  readKeys: () => Promise<readonly ClientKey[]>,
): () => Promise<Connection> {
  let connection: Promise<Connection> | undefined;
  return () => {
    connection ??= discover(provider, readKeys).catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };
}

async function discover(
  provider: ProviderSettings,
  readKeys: () => Promise<readonly ClientKey[]>,
): Promise<Connection> {
  const { issuer, clientId } = provider;
  const authenticate = openClientAuthentication(provider, await readKeys());
  const configuration = await oidc.discovery(issuer, clientId, clientMetadata, authenticatedByFetch, {
    timeout: requestSeconds,
    execute: isLoopback(issuer) ? [oidc.allowInsecureRequests] : [],
  });
  const metadata = configuration.serverMetadata();
  const authenticated = (send: oidc.CustomFetch) => authenticate({ clientId, metadata }, send);
  const recorded = new AsyncLocalStorage<Response[]>();
  configuration[oidc.customFetch] = authenticated(async (url, options) => {
    const response = await fetch(url, options as RequestInit);
    const answer = url === metadata.token_endpoint && response.ok ? await tidied(response) : response;
    recorded.getStore()?.push(answer.clone());
    return answer;
  });
  const needed = neededByExchanges(metadata);
  return {
    metadata,
    configuration,
    authenticated,
    exchanging: (send) => {
      const exchanging = new oidc.Configuration(needed, clientId, clientMetadata, authenticatedByFetch);
      if (isLoopback(issuer)) oidc.allowInsecureRequests(exchanging);
      exchanging.timeout = requestSeconds;
      exchanging[oidc.customFetch] = send;
      return exchanging;
    },
    recording: (answers, work) => recorded.run(answers, work),
  };
}

async function tidied(response: Response): Promise<Response> {
  const { status, headers } = response;
  const text = tidyAnswer(await response.text());
  const kept = new Headers(headers);
  kept.delete('content-length');
  kept.delete('content-encoding');
  return new Response(text, { status, headers: kept });
}

/** The library copies what it is told of the provider, each time. */
function neededByExchanges({ issuer, ...metadata }: oidc.ServerMetadata): oidc.ServerMetadata {
  const names = ['token_endpoint', 'id_token_signing_alg_values_supported'];
  return { issuer, ...Object.fromEntries(Object.entries(metadata).filter(([name]) => names.includes(name))) };
}

/** Plain http is for a provider on this machine only. */
function isLoopback({ hostname, protocol }: URL): boolean {
  return (
    protocol === 'http:' && (/^(127(\.\d+){3}|\[::1\]|localhost)$/.test(hostname) || hostname.endsWith('.localhost'))
  );
}
