import { hash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';

export interface Proven {
  /** The thumbprint of the key (RFC 7638). */
  thumbprint: string;
  nonce: unknown;
}

/** Checks a proof of possession as RFC 9449, section 4.3 says, each of them once; throws what is wrong with it. */
export function openProofCheck() {
  const seen = new Set<unknown>();
  return async (proof: unknown, request: { method: string; url: string; accessToken?: string }): Promise<Proven> => {
    const { payload, protectedHeader } = await jwtVerify(String(proof), EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['ES256'],
      maxTokenAge: 60,
    });
    const { jwk } = protectedHeader;
    if (jwk === undefined || 'd' in jwk) throw new Error('The proof holds no public key, or a private one.');
    if (payload.htm !== request.method || payload.htu !== request.url)
      throw new Error(`The proof is for ${payload.htm} ${payload.htu}, not for ${request.method} ${request.url}.`);
    const ath = request.accessToken && hash('sha256', request.accessToken, 'base64url');
    if (payload.ath !== ath) throw new Error('The proof is for another access token.');
    if (seen.has(payload.jti)) throw new Error('The proof was used before.');
    seen.add(payload.jti);
    return { thumbprint: await calculateJwkThumbprint(jwk), nonce: payload.nonce };
  };
}
