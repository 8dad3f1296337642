import type { BlockList } from 'node:net';
import * as oidc from 'openid-client';
import type { Clock } from '../clock.ts';
import { isLoopback } from '../domain/addresses.ts';
import type { ProfileName } from '../domain/providers/profiles.ts';
import { dayMs, minuteMs } from '../durations.ts';
import type { Log } from '../log.ts';
import { boundedFetch } from './bounded-answer.ts';
import {
  type Authenticated,
  authenticatedByFetch,
  type ClientCredentials,
  openClientAuthentication,
} from './client-authentication.ts';
import type { ClientKey } from './client-keys.ts';
import { requireProviderAddresses } from './provider-hosts.ts';
import { objectIn, tidyAnswer, tidyMetadata, tidyRevocation } from './tidy-answer.ts';
import type { RawAnswer, Reaching } from './transport.ts';

/** The provider after discovery, and who Nightkeep is there. */
export interface Connection {
  metadata: oidc.ServerMetadata;
  configuration: oidc.Configuration;
  reaching: Reaching;
  /** The same fetch, but with the proof of who Nightkeep is in each form. */
  authenticated(send: oidc.CustomFetch): oidc.CustomFetch;
  /** A configuration for one exchange, which sends by this fetch. It is made in microseconds. */
  exchanging(send: oidc.CustomFetch): oidc.Configuration;
  /** A configuration for one question, which lists what the provider answers, each to be read once more. */
  recording(answers: Response[]): oidc.Configuration;
}

export interface ProviderSettings extends ClientCredentials {
  issuer: URL;
  clientId: string;
  /** Whether tokens are bound to a key (RFC 9449); auto where absent. */
  dpop?: 'auto' | 'off' | 'required';
  /** Most bytes of one answer, decoded; 1 MiB where absent. */
  answerBytes?: number;
  /** Networks besides the internet, and besides that of the issuer, that what it publishes may lie in. */
  networks?: BlockList;
  /** The make of provider, where the operator names it. */
  profile?: ProfileName | undefined;
}

const requestSeconds = 15;
/** So far the provider's clock may be off; a proof that a token is fresh is worth no more than that. */
export const toleratedSkewSeconds = 60;
const clientMetadata = { [oidc.clockTolerance]: toleratedSkewSeconds };

/** The provider as it was discovered; `doubted` says that what is known of it does not fit. */
export type Connect = (doubt?: 'doubted') => Promise<Connection>;

interface ConnectNeeds {
  readKeys: () => Promise<readonly ClientKey[]>;
  reaching: Reaching;
  clock: Clock;
  log: Log;
}

/** How long what was discovered is believed: a day, while nothing speaks against it. */
const believedMs = { usually: dayMs, doubted: minuteMs, afterFailure: 10 * minuteMs } as const;

/**
 * Discovers once for all who ask, and afresh when that failed; again daily, and at most once a minute when an endpoint was
 * not there or the provider's keys do not fit. Where reading it again fails, what is known goes on to be used.
 */
export function connecting(provider: ProviderSettings, { readKeys, reaching, clock, log }: ConnectNeeds): Connect {
  let authenticate: Promise<Authenticated> | undefined;
  let connection: Promise<Connection> | undefined;
  let [readAt, dueAt, doubted] = [0, 0, false];
  const read = async () => {
    readAt = clock.elapsed();
    dueAt = readAt + believedMs.usually;
    doubted = false;
    authenticate ??= readKeys().then((keys) => openClientAuthentication(provider, keys));
    return discover(provider, { authenticate: await authenticate, reaching }, () => {
      doubted = true;
    });
  };
  const readAgain = async () => {
    const known = connection;
    try {
      connection = Promise.resolve(await read());
    } catch (error) {
      connection = known;
      dueAt = clock.elapsed() + believedMs.afterFailure;
      log.warn('oidc.discovery.failed', { error });
    }
  };
  return async (doubt) => {
    doubted ||= doubt === 'doubted';
    const now = clock.elapsed();
    if (connection === undefined)
      connection = read().catch((error: unknown) => {
        connection = undefined;
        throw error;
      });
    else if (now >= dueAt || (doubted && now - readAt >= believedMs.doubted)) await readAgain();
    return connection;
  };
}

async function discover(
  provider: ProviderSettings,
  { authenticate, reaching }: { authenticate: Authenticated; reaching: Reaching },
  notThere: () => void,
): Promise<Connection> {
  const { issuer, clientId } = provider;
  const send = boundedFetch(reaching.mostBytes, reaching.hosts);
  const configuration = await oidc.discovery(issuer, clientId, clientMetadata, authenticatedByFetch, {
    timeout: requestSeconds,
    [oidc.customFetch]: async (...request) =>
      tidied(await send(...request), ({ status, text }) => ({ status, text: tidyMetadata(text) })),
    execute: allowsPlainHttp(issuer) ? [oidc.allowInsecureRequests] : [],
  });
  const metadata = configuration.serverMetadata();
  requireProviderAddresses(issuer, metadata);
  const authenticated = (send: oidc.CustomFetch): oidc.CustomFetch => {
    const sendAsClient = authenticate({ clientId, metadata }, send);
    return async (...request) => {
      const answer = await sendAsClient(...request);
      if (answer.status === 404 || answer.status === 410) notThere();
      return answer;
    };
  };
  const asked: oidc.CustomFetch = async (url, options) => {
    const response = await send(url, options);
    if (url === metadata.token_endpoint) return tidied(response, tidyAnswer);
    return url === metadata.revocation_endpoint ? tidied(response, tidyRevocation) : response;
  };
  configuration[oidc.customFetch] = authenticated(asked);
  const anotherOf = (server: oidc.ServerMetadata, send: oidc.CustomFetch) => {
    const another = new oidc.Configuration(server, clientId, clientMetadata, authenticatedByFetch);
    if (allowsPlainHttp(issuer)) oidc.allowInsecureRequests(another);
    another.timeout = requestSeconds;
    another[oidc.customFetch] = send;
    return another;
  };
  const needed = neededByExchanges(metadata);
  return {
    metadata,
    configuration,
    reaching,
    authenticated,
    exchanging: (send) => anotherOf(needed, send),
    recording: (answers) =>
      anotherOf(
        metadata,
        authenticated(async (...request) => {
          const answer = await asked(...request);
          answers.push(answer.clone());
          return answer;
        }),
      ),
  };
}

type Told = Pick<RawAnswer, 'status' | 'text'>;

/** JSON is called JSON, since the library reads no error of another type. */
async function tidied(response: Response, tidy: (answer: Told) => Told): Promise<Response> {
  const { status, text } = tidy({ status: response.status, text: await response.text() });
  const headers = new Headers(response.headers);
  for (const name of ['content-length', 'content-encoding']) headers.delete(name);
  if (Object.keys(objectIn(text)).length > 0) headers.set('content-type', 'application/json');
  return new Response(text || null, { status, headers });
}

/** The library copies the provider's metadata each time. */
function neededByExchanges({ issuer, ...metadata }: oidc.ServerMetadata): oidc.ServerMetadata {
  const names = ['token_endpoint', 'id_token_signing_alg_values_supported'];
  return { issuer, ...Object.fromEntries(Object.entries(metadata).filter(([name]) => names.includes(name))) };
}

/** Plain http is for a provider on this machine only. */
function allowsPlainHttp(issuer: URL): boolean {
  return issuer.protocol === 'http:' && isLoopback(issuer);
}
