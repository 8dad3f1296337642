import { daySeconds } from '../durations.ts';
import type { RawAnswer } from './transport.ts';

/** No access token is trusted for longer; one that lives longer is asked for again after it. */
const longestSeconds = daySeconds;

/**
 * The members of a token answer (RFC 6749, section 5.1) in the form that the standard gives them, where a provider means the
 * same by another: a refresh token, an ID token and a scope that are no text or blank are absent, no space stands around the kind of a token, whole numbers are tokens too,
 * `scope` may be a list, and a life that cannot be is absent or cut to a day. Anything else stays as it came.
 */
export function tidyTokens(body: Record<string, unknown>): Record<string, unknown> {
  const { access_token, refresh_token, expires_in, scope: named, id_token, token_type, ...rest } = body;
  const access = digitsOf(access_token);
  const refresh = digitsOf(refresh_token);
  const scope = Array.isArray(named) ? named.filter(isWord).join(' ') : named;
  const life = secondsIn(expires_in);
  return {
    ...rest,
    ...(access !== undefined && { access_token: access }),
    ...(isText(refresh) && { refresh_token: refresh }),
    ...(isText(id_token) && { id_token }),
    ...(token_type != null && { token_type: isWord(token_type) ? token_type.trim() : token_type }),
    ...(life !== undefined && { expires_in: Math.min(life, longestSeconds) }),
    ...(isText(scope) && { scope }),
  };
}

/** What is read of an answer. */
type Answer = Pick<RawAnswer, 'status' | 'text'>;

/**
 * An answer of the token endpoint as RFC 6749, section 5, has it: with tidy tokens the status is 200, whichever of success it was; with an error it is one of refusal.
 * Anything else stays as it came.
 */
export function tidyAnswer<One extends Answer>(answer: One): One {
  if (!isSuccess(answer)) return answer;
  const body = objectIn(answer.text);
  if (holdsTokens(body)) return { ...answer, status: 200, text: JSON.stringify(tidyTokens(body)) };
  return errorIn(body) === undefined ? answer : { ...answer, status: 400 };
}

/**
 * The same of the revocation endpoint, whose answer is its status (RFC 7009, section 2.2): a token that is not valid there is ended, as Keycloak says with
 * status 200 and others with 400. A page is not the provider's answer, whatever its status.
 */
export function tidyRevocation<One extends Answer>(answer: One): One {
  const error = errorIn(objectIn(answer.text));
  if (error === 'invalid_token' && (isSuccess(answer) || answer.status === 400)) return { ...answer, status: 200 };
  if (!isSuccess(answer)) return answer;
  if (error !== undefined) return { ...answer, status: 400 };
  return { ...answer, status: /^\s*</.test(answer.text) ? 502 : 200 };
}

/** Whether the status is one of success (RFC 9110, section 15.3). */
export function isSuccess({ status }: Pick<Answer, 'status'>): boolean {
  return status >= 200 && status < 300;
}

/** Whether the body of an answer has tokens. A token beside an error and no access token is what was sent, told again. */
export function holdsTokens(body: Record<string, unknown>): boolean {
  const { access_token, refresh_token } = tidyTokens(body);
  return isText(access_token) || (isText(refresh_token) && errorIn(body) === undefined);
}

/** The `error` of a refusal (RFC 6749, section 5.2) in its usual letters, if it is a word. */
export function errorIn({ error }: Record<string, unknown>): string | undefined {
  return wordIn(error)?.toLowerCase();
}

/** Text that can be told and kept as a word. */
export function wordIn(value: unknown): string | undefined {
  return isWord(value) && /^[\w.-]{1,60}$/.test(value) ? value : undefined;
}

/** The members of a JSON object, of a list those by number; none of anything else. */
export function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Discovery documents have some ten KB; a longer one is copied again and again by the library. */
const usualMetadata = 64 * 1024;
const longestMember = 4 * 1024;
const mostMembers = 500;
/** How many items a list may have, such as one of scopes; nothing else that is nested is used here. */
const mostWords = 256;
const longestWord = 256;

/**
 * A discovery document without members that are null or empty, as some providers say that they do not have something; and without those that
 * are far longer than any we use, where it is a long one. What is not JSON is left as it is.
 */
export function tidyMetadata(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return text;
    const members = Object.entries(body);
    const isLong = text.length > usualMetadata;
    const near = isLong ? members.slice(0, mostMembers).filter(([, value]) => isShort(value)) : members;
    const kept = near.filter(([, value]) => isTold(value));
    return kept.length === members.length ? text : JSON.stringify(Object.fromEntries(kept));
  } catch {
    return text;
  }
}

/** Whether a member of a discovery document says anything. */
export function isTold(value: unknown): boolean {
  return value !== null && value !== '';
}

function isShort(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= longestMember;
  if (typeof value !== 'object' || value === null) return true;
  const within = Object.values(value);
  return within.length <= mostWords && within.every((one) => typeof one === 'string' && one.length <= longestWord);
}

/** Seconds that are a number, or a string that is one; nothing where they are no time to live. */
export function secondsIn(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

const isWord = (value: unknown) => typeof value === 'string';
const isText = (value: unknown): value is string => isWord(value) && value.trim() !== '';
/** A number that JSON cannot carry exactly would be another token. */
const digitsOf = (value: unknown) => (Number.isSafeInteger(value) ? String(value) : value);
