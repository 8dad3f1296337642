import * as oidc from 'openid-client';
import { type Clock, within } from '../clock.ts';
import type { ProviderProfile } from '../domain/providers/profile.ts';
import { profileOf } from '../domain/providers/profiles.ts';
import type { ExchangeAnswer, FailedAnswer } from '../domain/verdict.ts';
import { type AppError, failureCode } from '../errors.ts';
import type { Log } from '../log.ts';
import {
  type Asking,
  type AuthorizationRequest,
  type AuthorizationTransaction,
  type Authorized,
  beginAuthorization,
  finishAuthorization,
  type Unkept,
} from './authorization.ts';
import { bindsTokens, openBoundKeys, type ProvenRequest } from './bound-key.ts';
import { defaultAnswerBytes } from './bounded-answer.ts';
import { type ClientKey, readClientKeys } from './client-keys.ts';
import { askAboutClient } from './client-question.ts';
import { type Connection, connecting, type ProviderSettings } from './connection.ts';
import { type Enrollment, openEnrollment } from './enroll.ts';
import { exchangeOnce } from './exchange.ts';
import { type LogoutToken, openLogoutTokens } from './logout-token.ts';
import { providerError } from './provider-error.ts';
import { openProviderHosts } from './provider-hosts.ts';
import { moment } from './token-answer.ts';
import { type TokenEnding, tokenEndingAt } from './token-ending.ts';
import { openTrialConsent } from './trial-consent.ts';

/** A token as the provider knows it, RFC 7662, section 2.2. */
export interface Introspected {
  readonly active: boolean;
  readonly issuedAt?: Date | undefined;
  readonly endsAt?: Date | undefined;
}

/** The OpenID provider, and Nightkeep as its client. */
export interface Issuer {
  readonly clientId: string;
  /** What is known of the make of provider: by the setting, the issuer, or what it published once it was discovered. Never throws. */
  profile(): Promise<ProviderProfile>;
  /** Throws `provider/unavailable`, `provider/refused-client` or `consent/not-offline`. */
  beginAuthorization(request: AuthorizationRequest): Promise<{ url: URL; transaction: AuthorizationTransaction }>;
  /** How the provider would refuse this request before it asks anybody, as far as that shows within a moment. Never throws. */
  findRefusal(request: AuthorizationRequest): Promise<AppError | undefined>;
  /**
   * Throws `consent/denied`, `consent/invalid-callback`, `consent/not-offline`, or `provider/…` where the provider is at
   * fault. Tokens that came all the same are told to `unkept` first.
   */
  finishAuthorization(callback: URL, transaction: AuthorizationTransaction, unkept?: Unkept): Promise<Authorized>;
  /** The ways to consent without a page of Nightkeep. */
  readonly enroll: Enrollment;
  /**
   * One token request with this offline token, and the key that it is bound to where it is: at most 15 seconds, never
   * repeated once it may have been accepted, never throws. Tokens are there to be saved before they are validated.
   */
  exchange(refreshToken: string, boundKey?: string): Promise<ExchangeAnswer>;
  /** What the provider says of a refresh token (RFC 7662); nothing where it cannot be asked or does not say. Never throws. */
  introspect(refreshToken: string): Promise<Introspected | undefined>;
  /**
   * Whether the provider believes Nightkeep, or its refusal, where it can be asked without using anything up; undefined where nobody can
   * tell, and for public clients. Never throws.
   */
  askAboutClient(): Promise<FailedAnswer | 'believed' | undefined>;
  /** Ends the token at the provider (RFC 7009). */
  revoke(token: string): Promise<void>;
  /** How tokens can be ended there; undefined while the provider is away. */
  tokenEnding(): Promise<TokenEnding | undefined>;
  /** What a logout token says (Back-Channel Logout 1.0). Throws `logout/invalid-token` or `provider/unavailable`. */
  readLogoutToken(token: string): Promise<LogoutToken>;
  /** The proof that the sender of an access token holds the key that the token is bound to (RFC 9449, section 7). */
  prove(boundKey: string, request: ProvenRequest): Promise<string>;
  /** The keys that the provider checks client assertions with, the newest first (RFC 7517). Throws `config/invalid`. */
  publicKeys(): Promise<{ keys: Record<string, unknown>[] }>;
}

export interface IssuerOptions {
  provider: ProviderSettings;
  publicUrl: URL;
  clock: Clock;
  log: Log;
}

/** Longer no page waits for a fact that it can do without. */
const aMomentMs = 2_000;

/** Opens the provider without asking it anything yet: it is discovered when first needed, and again after a failure. */
export function openIssuer({ provider, publicUrl, clock, log }: IssuerOptions): Issuer {
  const redirectUri = new URL('/callback', publicUrl).href;
  const { clientId } = provider;
  let clientKeys: Promise<ClientKey[]> | undefined;
  const readKeys = () => {
    clientKeys ??= readClientKeys(provider.privateKeyPem ?? '');
    return clientKeys;
  };
  const hosts = openProviderHosts(provider.issuer, { inside: provider.networks });
  const reaching = { mostBytes: provider.answerBytes ?? defaultAnswerBytes, hosts };
  const connect = connecting(provider, { readKeys, reaching, clock, log });
  const boundKeys = openBoundKeys();
  const asking = async ({ metadata }: Connection): Promise<Asking> => ({
    log,
    now: clock.now(),
    required: provider.dpop === 'required',
    boundKey: bindsTokens(provider, metadata) ? await boundKeys.make() : undefined,
  });
  const readLogoutToken = openLogoutTokens(connect, { clientId, clock });
  const recognised = (metadata?: oidc.ServerMetadata) =>
    profileOf(provider.issuer, { named: provider.profile, metadata });
  const profile = async () => recognised((await connect().catch(() => undefined))?.metadata);
  const begin = (request: AuthorizationRequest) =>
    explained(async () => {
      const { configuration, metadata } = await connect();
      bindsTokens(provider, metadata);
      return beginAuthorization(configuration, redirectUri, request);
    });
  return {
    clientId,
    profile,
    beginAuthorization: begin,
    findRefusal: openTrialConsent({ clock, log, redirectUri, hosts, begin }),
    finishAuthorization: (callback, transaction, unkept) =>
      explained(async () => {
        const connection = await connect();
        const about = { ...(await asking(connection)), unkept };
        return finishAuthorization(connection, { redirectUri, callback, transaction }, about);
      }),
    enroll: openEnrollment(connect, { clock, asking }),
    exchange: (refreshToken, boundKey) =>
      exchangeOnce(connect, {
        refreshToken,
        clock,
        reaching,
        openKey: () => (boundKey === undefined ? undefined : boundKeys.open(boundKey)),
      }),
    introspect: async (token) => {
      try {
        const { configuration, metadata } = await connect();
        if (metadata.introspection_endpoint === undefined) return undefined;
        const told = await oidc.tokenIntrospection(configuration, token, { token_type_hint: 'refresh_token' });
        return { active: told.active, issuedAt: moment(told.iat), endsAt: moment(told.exp) };
      } catch (error) {
        log.warn('oidc.introspection.failed', { code: failureCode(error) });
        return undefined;
      }
    },
    askAboutClient: async () => {
      if (provider.authentication === 'none') return undefined;
      try {
        return await askAboutClient(await connect());
      } catch (error) {
        log.warn('oidc.client-question.failed', { code: failureCode(error) });
        return undefined;
      }
    },
    revoke: (token) =>
      explained(async () => {
        const { configuration } = await connect();
        await oidc.tokenRevocation(configuration, token);
      }),
    tokenEnding: () =>
      within(clock, aMomentMs, () => connect()).then(
        ({ metadata }) => tokenEndingAt(metadata, recognised(metadata)),
        () => undefined,
      ),
    readLogoutToken: (token) => explained(() => readLogoutToken(token)),
    prove: async (boundKey, request) => (await boundKeys.open(boundKey)).prove(request),
    publicKeys: async () => ({ keys: (await readKeys()).map(({ publicJwk }) => ({ ...publicJwk })) }),
  };
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw providerError(error);
  }
}
