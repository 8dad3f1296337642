import { decodeJwt } from 'jose';
import { hintOf } from '../domain/hint.ts';
import type { TokenAnswer } from '../domain/tokens.ts';
import type { FailedAnswer } from '../domain/verdict.ts';
import { type Attempt, failureCode, type RawAnswer } from './transport.ts';

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
  if (answer.status === 200) return { kind: 'lost', errorCode: 'unreadable', status: answer.status };
  return readRefusal(answer, parseObject(answer.text), now);
}

/** The tokens in the text of an answer. */
export function readTokensIn(json: string, now: Date): TokenAnswer | undefined {
  return readTokens(parseObject(json), now);
}

/** The tokens of an answer (RFC 6749, section 5.1), or nothing where it holds no access token. */
export function readTokens(body: Record<string, unknown>, now: Date): TokenAnswer | undefined {
  const accessToken = text(body.access_token);
  if (accessToken === undefined) return undefined;
  const refreshToken = text(body.refresh_token);
  const [ofId, ofRefresh] = [body.id_token, refreshToken].map(decodeClaims);
  return withoutUndefined({
    accessToken,
    bound: /^dpop$/i.test(text(body.token_type) ?? '') || undefined,
    refreshToken,
    expiresIn: typeof body.expires_in === 'number' && body.expires_in >= 0 ? body.expires_in : undefined,
    scope: text(body.scope),
    subject: text(ofId?.sub) ?? text(decodeClaims(accessToken)?.sub),
    sid: text(ofId?.sid) ?? text(ofRefresh?.sid),
    tokenType: text(ofRefresh?.typ),
    issuedAt: moment(ofRefresh?.iat),
    endsAt: moment(ofRefresh?.exp) ?? endOf(body.refresh_expires_in, now),
  });
}

/** The claims of a token that is a JWT, unverified; nothing for an opaque one. */
export function decodeClaims(token: unknown): Record<string, unknown> | undefined {
  if (typeof token !== 'string') return undefined;
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

function readRefusal(raw: RawAnswer, body: Record<string, unknown>, now: Date): FailedAnswer {
  const retryAfterMs = readRetryAfter(raw.headers['retry-after'], now);
  const hint = hintOf(body.error_description);
  return {
    kind: 'refused',
    status: raw.status,
    errorCode: errorWord(body.error) ?? `http-${raw.status}`,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(hint !== undefined && { hint }),
  };
}

/** RFC 9110, section 10.2.3: seconds or a date. */
function readRetryAfter(header: string | string[] | undefined, now: Date): number | undefined {
  const [value] = [header].flat();
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now.getTime();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function errorWord(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.-]{1,60}$/.test(value) ? value : undefined;
}

function parseObject(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Keycloak's `refresh_expires_in`, where 0 means that the token has no `exp`. */
function endOf(seconds: unknown, now: Date): Date | undefined {
  return typeof seconds === 'number' && seconds > 0 ? new Date(now.getTime() + seconds * 1000) : undefined;
}

function moment(seconds: unknown): Date | undefined {
  return typeof seconds === 'number' && seconds > 0 ? new Date(seconds * 1000) : undefined;
}

function withoutUndefined(tokens: { [Name in keyof TokenAnswer]: TokenAnswer[Name] | undefined }): TokenAnswer {
  const { accessToken = '', ...rest } = tokens;
  return { accessToken, ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) };
}
