import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../../src/clock.ts';

/** Whom the provider's access tokens are for: the demo's cloud, and any server that stands in for it. */
export const cloudAudience = 'urn:nightkeep:demo:cloud';

/** Who a bearer token speaks for. Undefined where the token does not count; throws where the issuer's keys cannot be had. */
export type CheckToken = (token: string) => Promise<string | undefined>;

const expected = { audience: cloudAudience, requiredClaims: ['exp'] };

/**
 * Checks access tokens as JWTs: signature by one of the issuer's keys, `iss`, `aud`, `exp` by the clock, and names the
 * person in `preferred_username`. The keys are looked up in the issuer's discovery document when the first token comes.
 */
export function openTokenCheck(issuer: string, clock: Clock): CheckToken {
  let keys: JWTVerifyGetKey | undefined;
  return async (token) => {
    keys ??= createRemoteJWKSet(await findKeys(issuer), { cooldownDuration: 1000 });
    try {
      const { payload } = await jwtVerify(token, keys, { ...expected, issuer, currentDate: clock.now() });
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
