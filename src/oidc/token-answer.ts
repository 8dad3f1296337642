import { decodeJwt } from 'jose';
import { hintOf } from '../domain/hint.ts';
import { pauseForRetryAfter } from '../domain/retry-after.ts';
import { shortId } from '../domain/short-id.ts';
import type { TokenAnswer } from '../domain/tokens.ts';
import type { FailedAnswer } from '../domain/verdict.ts';
import { daySeconds } from '../durations.ts';
import { failureCode } from '../errors.ts';
import { hasTooManyItems } from './bounded-answer.ts';
import { errorIn, holdsTokens, isSuccess, objectIn, secondsIn, tidyTokens, wordIn } from './tidy-answer.ts';
import type { Attempt, RawAnswer } from './transport.ts';

/** What is said to live longer lives for ever as far as dates go. */
const longestLifeSeconds = 100 * 365 * daySeconds;
/** The year 2100 in seconds; a later date is a mistake, or means never. */
const latestMoment = 4_102_444_800;
const longestDescription = 1_000;
const mostSubcodes = 10;

/**
 * What became of a token request that brought no token, by its last attempt alone: what came before used nothing up. `fault` is
 * what the library made of it; it is all there is where nothing was sent.
 */
export function readFailure(last: Attempt | undefined, fault = 'no-answer', now: Date): FailedAnswer {
  if (last === undefined) return { kind: 'unsent', errorCode: fault };
  if ('error' in last) {
    const errorCode = failureCode(last.error);
    if (!last.sent) return { kind: 'unsent', errorCode };
    return { kind: 'lost', errorCode, ...(last.status !== undefined && { status: last.status }) };
  }
  const { answer } = last;
  const body = objectIn(answer.text);
  // Some refuse with status 200, in the words of RFC 6749 all the same.
  if (answer.status === 200 && errorIn(body) === undefined)
    return { kind: 'lost', errorCode: 'unreadable', status: answer.status };
  return readRefusal(answer, body, now);
}

/** The tokens of a whole answer; nothing where it is no success. */
export function readTokensIn(
  answer: { status: number; text: string },
  now: Date,
  told?: { pairwise: boolean },
): TokenAnswer | undefined {
  return isSuccess(answer) ? readTokens(objectIn(answer.text), now, told) : undefined;
}

/**
 * The tokens of an answer (RFC 6749, section 5.1), or nothing where it holds none. An access token that is missing beside a new refresh token is empty: the provider may have
 * replaced the old one all the same. Where subjects are pairwise (OpenID Connect Core 1.0, section 8.1), that of an access token is for the server that takes it, and says nothing.
 */
export function readTokens(
  untidy: Record<string, unknown>,
  now: Date,
  { pairwise } = { pairwise: false },
): TokenAnswer | undefined {
  if (!holdsTokens(untidy)) return undefined;
  const body = tidyTokens(untidy);
  const accessToken = text(body.access_token) ?? '';
  const refreshToken = text(body.refresh_token);
  const [ofId, ofRefresh] = [body.id_token, refreshToken].map(decodeClaims);
  return withoutUndefined({
    accessToken,
    bound: /^dpop$/i.test(text(body.token_type) ?? '') || undefined,
    refreshToken,
    expiresIn: secondsIn(body.expires_in),
    scope: text(body.scope),
    subject: text(ofId?.sub) ?? (pairwise ? undefined : text(decodeClaims(accessToken)?.sub)),
    sid: sessionOf(ofId) ?? sessionOf(ofRefresh),
    tokenType: text(ofRefresh?.typ),
    issuedAt: moment(ofRefresh?.iat),
    endsAt: moment(ofRefresh?.exp) ?? endOf(body.refresh_expires_in ?? body.refresh_token_expires_in, now),
  });
}

function sessionOf(claims: Record<string, unknown> | undefined): string | undefined {
  const sid = text(claims?.sid);
  return sid === undefined ? undefined : shortId(sid);
}

/** Said of an access token that no header of a request takes. */
export const notPresentable =
  'The provider gave an access token with a line break or another character that no request can carry. The operator must look at the provider, and at what is in front of it.';

/** Whether a request can carry it: one line of visible ASCII characters (RFC 6749, appendix A.12), and no space at an end, where it would be lost. */
export function isPresentable({ accessToken }: TokenAnswer): boolean {
  return /^[!-~](?:[ -~]*[!-~])?$/.test(accessToken);
}

/** Longer ones are looked at before they are parsed. */
const usualToken = 64 * 1024;

/** The claims of a token that is a JWT, unverified; nothing for an opaque one, nor where they are more than a whole answer may have. */
export function decodeClaims(token: unknown): Record<string, unknown> | undefined {
  if (typeof token !== 'string') return undefined;
  if (token.length > usualToken && hasTooManyItems(Buffer.from(token.split('.', 2)[1] ?? '', 'base64url')))
    return undefined;
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

function readRefusal(raw: RawAnswer, body: Record<string, unknown>, now: Date): FailedAnswer {
  const retryAfterMs = readRetryAfter(raw.headers['retry-after'], now);
  const hint = hintOf(body.error_description);
  const subcodes = subcodesIn(body);
  const description = text(body.error_description)?.slice(0, longestDescription);
  return {
    kind: 'refused',
    status: raw.status,
    errorCode: errorIn(body) ?? `http-${raw.status}`,
    ...(subcodes.length > 0 && { subcodes }),
    ...(description !== undefined && { description }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(hint !== undefined && { hint }),
  };
}

/** Entra lists numbers in `error_codes` and a word in `suberror`, Google a word in `error_subtype`. */
function subcodesIn({ error_codes, suberror, error_subtype }: Record<string, unknown>): string[] {
  const all = [error_codes, suberror, error_subtype].flat().slice(0, mostSubcodes);
  return all.map((code) => wordIn(typeof code === 'number' ? String(code) : code)).filter((code) => code !== undefined);
}

/** RFC 9110, section 10.2.3: seconds or a date; as long as it is obeyed. */
function readRetryAfter(header: string | string[] | undefined, now: Date): number | undefined {
  const [value] = [header].flat();
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now.getTime();
  return Number.isNaN(ms) ? undefined : pauseForRetryAfter(ms);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Keycloak's `refresh_expires_in`, where 0 means that the token has no `exp`; `refresh_token_expires_in` of Entra, Google and others. */
function endOf(value: unknown, now: Date): Date | undefined {
  const seconds = secondsIn(value);
  return seconds === undefined ? undefined : new Date(now.getTime() + Math.min(seconds, longestLifeSeconds) * 1000);
}

/** The moment of a NumericDate (RFC 7519); undefined if it is not one. */
export function moment(seconds: unknown): Date | undefined {
  return typeof seconds === 'number' && seconds > 0 && seconds < latestMoment ? new Date(seconds * 1000) : undefined;
}

function withoutUndefined(tokens: { [Name in keyof TokenAnswer]: TokenAnswer[Name] | undefined }): TokenAnswer {
  const { accessToken = '', ...rest } = tokens;
  return { accessToken, ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) };
}
