import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../../src/clock.ts';

/** The audience of the provider's access tokens: the demo's cloud, and any server that replaces it in a test. */
export const cloudAudience = 'urn:nightkeep:demo:cloud';

/** The user name that a bearer token stands for. Undefined where the token is invalid; throws where the issuer's keys cannot be fetched. */
export type CheckToken = (token: string) => Promise<string | undefined>;

const expected = { audience: cloudAudience, requiredClaims: ['exp'] };

/**
 * Checks access tokens as JWTs: the signature by the issuer's keys, `iss`, `aud`, and `exp` by the clock. The person is
 * in `preferred_username`. The keys are fetched when the first token comes.
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
