import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { boundedFetch } from './bounded-answer.ts';
import { type Connect, type Connection, toleratedSkewSeconds } from './connection.ts';
import type { Reaching } from './transport.ts';

/** What a provider says when it ends a session (OpenID Connect Back-Channel Logout 1.0, section 2.4). */
export interface LogoutToken {
  issuer: string;
  /** At least one of these two: all sessions of the person, or the one session. */
  subject: string | undefined;
  sid: string | undefined;
  jti: string;
  expiresAt: Date;
  /** Keycloak's word that the offline tokens of the session are to end as well. */
  revokesOfflineAccess: boolean;
}

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const types = [undefined, 'logout+jwt', 'application/logout+jwt', 'jwt'];
const mostCharacters = 12_000;
/** It is kept until the token ends, so that none is taken twice. */
const longestId = 500;
/** The provider's keys could not be had, which says nothing of the token. */
const keysAway = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'];

/**
 * Reads logout tokens as section 2.6 says: signature, issuer, audience, times, event, session, no nonce. Whether one was
 * seen before is for the caller to know. Throws `logout/invalid-token`, or `provider/unavailable` without its keys.
 */
export function openLogoutTokens(
  connect: Connect,
  { clientId, clock }: { clientId: string; clock: Clock },
): (token: string) => Promise<LogoutToken> {
  const keySets = new Map<string, JWTVerifyGetKey>();
  const keysAt = (url: string, { mostBytes, hosts }: Reaching) => {
    const keys =
      keySets.get(url) ?? createRemoteJWKSet(new URL(url), { [customFetch]: boundedFetch(mostBytes, hosts) });
    keySets.set(url, keys);
    return keys;
  };
  return async (token) => {
    if (token.length > mostCharacters) throw invalid('it is too long');
    const now = clock.now();
    const verify = ({ metadata: { issuer, jwks_uri: keys }, reaching }: Connection) => {
      if (keys === undefined) throw withoutKeys();
      const currentDate = now;
      const requiredClaims = ['iat', 'exp', 'jti'];
      const expected = { issuer, audience: clientId, algorithms, requiredClaims, currentDate };
      return verifyWith(token, keysAt(keys, reaching), { ...expected, clockTolerance: toleratedSkewSeconds });
    };
    const connection = await connect();
    const { payload, protectedHeader } = await verify(connection)
      .catch(async (error: unknown) => {
        const anew = keysDoNotFit(error) ? await connect('doubted') : connection;
        if (anew.metadata.jwks_uri === connection.metadata.jwks_uri) throw error;
        return verify(anew);
      })
      .catch((error: unknown) => {
        throw meaningOf(error);
      });
    return readClaims(payload, protectedHeader, now);
  };
}

/** Far more than fit one token where a provider names no key in it, or two by one name. */
const mostKeys = 10;

/** Verifies by the key that the token names, else by each of those that may be meant. Throws what the last of them failed with. */
async function verifyWith(token: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, keys, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let left = mostKeys;
    let failure: unknown = error;
    for await (const key of error) {
      if (left === 0) break;
      left -= 1;
      try {
        return await jwtVerify(token, key, options);
      } catch (other) {
        failure = other;
        if (!(other instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw failure;
  }
}

function readClaims(payload: JWTPayload, { typ }: ProtectedHeaderParameters, now: Date): LogoutToken {
  const { iss = '', sub: subject, jti = '', iat = 0, exp = 0, events, nonce } = payload;
  const { sid } = payload;
  if (!types.includes(typ?.toLowerCase())) throw invalid('its type is another one');
  if (iat > now.getTime() / 1000 + toleratedSkewSeconds) throw invalid('it is of the future');
  if (nonce !== undefined) throw invalid('it has a nonce, as only ID tokens do');
  if (jti === '') throw invalid('it has no id');
  if (jti.length > longestId) throw invalid('its id is too long');
  if (Number.isNaN(new Date(exp * 1000).getTime())) throw invalid('it never ends');
  if (typeof memberOf(events, logoutEvent) !== 'object') throw invalid('it tells of another event');
  if (sid !== undefined && typeof sid !== 'string') throw invalid('its sid is no text');
  if (!subject && !sid) throw invalid('it names neither a person nor a session');
  const revokesOfflineAccess = memberOf(events, 'revoke_offline_access') === true;
  return { issuer: iss, subject, sid, jti, expiresAt: new Date(exp * 1000), revokesOfflineAccess };
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1] ?? undefined;
}

/** No key of that name, after the keys were fetched again; or they are not where discovery once said. */
function keysDoNotFit(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey || (error instanceof errors.JOSEError && keysAway.includes(error.code))
  );
}

function meaningOf(error: unknown): AppError {
  const known = error instanceof errors.JOSEError && !keysAway.includes(error.code);
  return known ? invalid('its signature, issuer, audience or time is not right', error) : withoutKeys(error);
}

function invalid(what: string, cause?: unknown): AppError {
  return new AppError('logout/invalid-token', `The logout token is not valid: ${what}.`, { cause });
}

function withoutKeys(cause?: unknown): AppError {
  return new AppError('provider/unavailable', 'The keys of the OpenID provider cannot be fetched.', {
    cause,
    retry: { afterMs: 5_000 },
  });
}
