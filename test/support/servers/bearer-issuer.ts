import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import type { BearerTokens } from './apache.ts';

/** Signs access tokens as a provider would, for servers that check them by its public key. */
export interface BearerIssuer {
  /** What the server must know. */
  readonly tokens: Pick<BearerTokens, 'keyId' | 'publicKeyPem'>;
  /** A token for that person, good from now on for so many seconds (or already ended). */
  tokenFor(person: string, seconds?: number): Promise<string>;
}

export async function bearerIssuer(keyId = 'key-1'): Promise<BearerIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  return {
    tokens: { keyId, publicKeyPem: await exportSPKI(publicKey) },
    tokenFor: async (person, seconds = 300) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ preferred_username: person })
        .setProtectedHeader({ alg: 'RS256', kid: keyId })
        .setSubject(`subject-of-${person}`)
        .setIssuedAt(now - 600)
        .setExpirationTime(now + seconds)
        .sign(privateKey);
    },
  };
}
