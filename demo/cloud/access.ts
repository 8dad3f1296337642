import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../../src/clock.ts';

/** The audience of the provider's access tokens: the demo's cloud, and any server that replaces it in a test. */
export const cloudAudience = 'urn:nightkeep:demo:cloud';

/** The user name that a bearer token stands for. Undefined where the token is invalid; throws where the issuer's keys cannot be fetched. */
export type CheckToken = (token: string) => Promise<string | undefined>;

/** What an access token must say. */
export interface ExpectedToken {
  /** Any, where absent. */
  readonly audience?: string;
  /** Further names of the issuer, where it has more than one address. */
  readonly issuers?: readonly string[];
  /** The claim that names the person. */
  readonly personIn: string;
}

/** As the demo's provider makes them, and a Keycloak that is set up for the demo. */
export const tokenForTheCloud: ExpectedToken = { audience: cloudAudience, personIn: 'preferred_username' };

/**
 * Checks access tokens as JWTs: the signature by the issuer's keys, `iss`, `aud`, and `exp` by the clock. The keys are
 * fetched when the first token comes.
 */
export function openTokenCheck(
  issuer: string,
  clock: Clock,
  { audience, issuers = [], personIn }: ExpectedToken,
): CheckToken {
  const expected = {
    issuer: [issuer, ...issuers],
    requiredClaims: ['exp'],
    ...(audience !== undefined && { audience }),
  };
  let keys: JWTVerifyGetKey | undefined;
  return async (token) => {
    keys ??= createRemoteJWKSet(await findKeys(issuer), { cooldownDuration: 1000 });
    try {
      const { payload } = await jwtVerify(token, keys, { ...expected, currentDate: clock.now() });
      const person = payload[personIn];
      return typeof person === 'string' ? person : undefined;
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
