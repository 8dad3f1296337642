import * as oidc from 'openid-client';
import type { Clock } from '../clock.ts';
import type { ExchangeAnswer } from '../domain/verdict.ts';
import type { HouseError } from '../errors.ts';
import type { Log } from '../log.ts';
import {
  type AuthorizationRequest,
  type AuthorizationTransaction,
  type Authorized,
  beginAuthorization,
  finishAuthorization,
} from './authorization.ts';
import {
  type ClientAuthentication,
  type ClientCredentials,
  openClientAuthentication,
} from './client-authentication.ts';
import { providerError } from './provider-error.ts';
import { readAnswer } from './token-answer.ts';
import { type Attempt, failureCode, keepingFetch } from './transport.ts';

/** The OpenID provider as the house sees it. */
export interface Issuer {
  readonly clientId: string;
  /** Throws `provider/unavailable`, `provider/refused-client` or `consent/not-offline`. */
  beginAuthorization(request: AuthorizationRequest): Promise<{ url: URL; transaction: AuthorizationTransaction }>;
  /** Throws `consent/denied`, `consent/invalid-callback`, `consent/not-offline`, or what the provider is at fault of. */
  finishAuthorization(callback: URL, transaction: AuthorizationTransaction): Promise<Authorized>;
  /** One token request with this offline token: never repeated, at most 15 seconds, never throws. */
  exchange(refreshToken: string): Promise<ExchangeAnswer>;
  /** Ends the token at the provider (RFC 7009). */
  revoke(token: string): Promise<void>;
}

export interface IssuerOptions {
  provider: ClientCredentials & { issuer: URL; clientId: string };
  publicUrl: URL;
  clock: Clock;
  log: Log;
}

const requestSeconds = 15;
const toleratedSkewSeconds = 30;

/** Opens the provider without asking it anything yet: it is discovered when first needed, and again after a failure. */
export function openIssuer({ provider, publicUrl, clock, log }: IssuerOptions): Issuer {
  const redirectUri = new URL('/callback', publicUrl).href;
  const { clientId } = provider;
  const connect = connecting(provider);
  const connected = async () => {
    try {
      return await connect();
    } catch (error) {
      throw providerError(error);
    }
  };
  return {
    clientId,
    beginAuthorization: async (request) => {
      const { configuration, authentication } = await connected();
      return beginAuthorization(configuration, redirectUri, request).catch((error: unknown) => {
        throw noting(authentication, providerError(error));
      });
    },
    finishAuthorization: async (callback, transaction) => {
      const { configuration, authentication } = await connected();
      return finishAuthorization(configuration, redirectUri, callback, transaction, { log, now: clock.now() }).catch(
        (error: unknown) => {
          throw noting(authentication, providerError(error));
        },
      );
    },
    exchange: async (refreshToken) => {
      const attempt: Attempt = { sent: false };
      const fault = await exchangeOnce(connect, refreshToken, attempt);
      const answer = readAnswer(attempt, clock.now(), fault);
      if (answer.kind === 'refused' && answer.errorCode === 'invalid_client')
        (await connect()).authentication.refused();
      return answer;
    },
    revoke: async (token) => {
      const { configuration } = await connected();
      await oidc.tokenRevocation(configuration, token).catch((error: unknown) => {
        throw providerError(error);
      });
    },
  };
}

interface Connection {
  configuration: oidc.Configuration;
  authentication: ClientAuthentication;
  metadata: oidc.ServerMetadata;
}

/** Discovers once for all who ask, and afresh when that failed. */
function connecting(provider: IssuerOptions['provider']): () => Promise<Connection> {
  let connection: Promise<Connection> | undefined;
  const discover = async () => {
    const authentication = await openClientAuthentication(provider);
    const configuration = await oidc.discovery(
      provider.issuer,
      provider.clientId,
      { [oidc.clockTolerance]: toleratedSkewSeconds },
      authentication.authenticate,
      { timeout: requestSeconds, execute: isLoopback(provider.issuer) ? [oidc.allowInsecureRequests] : [] },
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

/** Sends the token once; the code of what went wrong, if anything did. What came back is in `attempt`. */
async function exchangeOnce(
  connect: () => Promise<Connection>,
  refreshToken: string,
  attempt: Attempt,
): Promise<string | undefined> {
  try {
    const { metadata, configuration, authentication } = await connect();
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
    own[oidc.customFetch] = keepingFetch(attempt);
    await oidc.refreshTokenGrant(own, refreshToken);
    return undefined;
  } catch (error) {
    return failureCode(error);
  }
}

function noting(authentication: ClientAuthentication, error: HouseError): HouseError {
  if (error.detail.error === 'invalid_client') authentication.refused();
  return error;
}

/** Plain http is for a provider on this machine only. */
function isLoopback({ hostname, protocol }: URL): boolean {
  return (
    protocol === 'http:' && (/^(127(\.\d+){3}|\[::1\]|localhost)$/.test(hostname) || hostname.endsWith('.localhost'))
  );
}
