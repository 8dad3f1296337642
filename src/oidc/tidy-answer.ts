/** No access token is trusted for longer; one that lives longer is asked for again after it. */
const longestSeconds = 86_400;

/**
 * The members of a token answer (RFC 6749, section 5.1) in the form that the standard gives them, where a provider means the
 * same by another: a refresh token that is empty or null is absent, no space stands around the kind of a token, numbers may be strings, `scope` may be a list, and a life
 * that cannot be is absent or cut to a day. Anything else stays as it came.
 */
export function tidyTokens(body: Record<string, unknown>): Record<string, unknown> {
  const { refresh_token, expires_in, scope: named, id_token, token_type, ...rest } = body;
  const scope = Array.isArray(named) ? named.filter(isWord).join(' ') : named;
  const life = secondsIn(expires_in);
  return {
    ...rest,
    ...(isGiven(refresh_token) && { refresh_token }),
    ...(isGiven(id_token) && { id_token }),
    ...(isGiven(token_type) && { token_type: typeof token_type === 'string' ? token_type.trim() : token_type }),
    ...(life !== undefined && { expires_in: Math.min(life, longestSeconds) }),
    ...(isGiven(scope) && { scope }),
  };
}

/** The same of the text of an answer; what is not JSON, or holds no access token, is left as it is. */
export function tidyAnswer(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && 'access_token' in body
      ? JSON.stringify(tidyTokens({ ...body }))
      : text;
  } catch {
    return text;
  }
}

/** Discovery documents have some ten KB; a longer one is copied again and again by the library. */
const usualMetadata = 64 * 1024;
const longestMember = 4 * 1024;
const mostMembers = 500;
/** How many items a list may have, such as one of scopes; nothing else that is nested is used here. */
const mostWords = 256;
const longestWord = 256;

/** A discovery document without the members that are far longer than any we use, where it is a long one; what is not JSON is left as it is. */
export function tidyMetadata(text: string): string {
  if (text.length <= usualMetadata) return text;
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return text;
    const members = Object.entries(body).slice(0, mostMembers);
    return JSON.stringify(Object.fromEntries(members.filter(([, value]) => isShort(value))));
  } catch {
    return text;
  }
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

const isGiven = (value: unknown) => value !== undefined && value !== null && value !== '';
const isWord = (value: unknown) => typeof value === 'string';
