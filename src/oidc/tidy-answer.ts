/** No access token is trusted for longer; one that lives longer is asked for again after it. */
const longestSeconds = 86_400;

/**
 * The members of a token answer (RFC 6749, section 5.1) in the form that the standard gives them, where a provider means the
 * same by another: a refresh token that is empty or null is absent, numbers may be strings, `scope` may be a list, and a life
 * that cannot be is absent or cut to a day. Anything else stays as it came.
 */
export function tidyTokens(body: Record<string, unknown>): Record<string, unknown> {
  const { refresh_token, expires_in, scope: named, id_token, ...rest } = body;
  const scope = Array.isArray(named) ? named.filter(isWord).join(' ') : named;
  const life = secondsIn(expires_in);
  return {
    ...rest,
    ...(isGiven(refresh_token) && { refresh_token }),
    ...(isGiven(id_token) && { id_token }),
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

/** Seconds that are a number, or a string that is one; nothing where they are no time to live. */
export function secondsIn(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

const isGiven = (value: unknown) => value !== undefined && value !== null && value !== '';
const isWord = (value: unknown) => typeof value === 'string';
