import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';

/** Whom the provider's access tokens are for: the demo's cloud, and any server that stands in for it. */
export const cloudAudience = 'urn:nightkeep:demo:cloud';

/** Who a bearer token speaks for. Undefined where the token does not count; throws where the issuer's keys cannot be had. */
export type CheckToken = (token: string) => Promise<string | undefined>;

/**
 * Checks access tokens as JWTs: signature by one of the issuer's keys, `iss`, `aud`, `exp`, and names the person in
 * `preferred_username`. The keys are looked up in the issuer's discovery document when the first token comes.
 */
export function openTokenCheck(issuer: string): CheckToken {
  let keys: JWTVerifyGetKey | undefined;
  return async (token) => {
    keys ??= createRemoteJWKSet(await findKeys(issuer));
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience: cloudAudience, requiredClaims: ['exp'] });
      return typeof payload.preferred_username === 'string' ? payload.preferred_username : undefined;
    } catch (error) {
      if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)) return undefined;
      throw error;
    }
  };
}

async function findKeys(issuer: string): Promise<URL> {
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
  const document: unknown = answer.ok ? await answer.json() : undefined;
  if (typeof document === 'object' && document !== null && 'jwks_uri' in document)
    return new URL(String(document.jwks_uri));
  throw new Error(`The issuer ${issuer} has no discovery document (${answer.status}).`);
}
