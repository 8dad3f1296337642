import { createHash, randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from 'jose';
import type { Realm } from '../realm/realm.ts';
import { Refusal } from './refusal.ts';

export interface ProvenRequest {
  readonly proof: string;
  readonly method: string;
  readonly url: string;
  /** Where the proof comes with an access token. */
  readonly accessToken?: string;
}

const oldestSeconds = 25;

/**
 * Checks proofs of possession (RFC 9449, section 4.3) and gives the thumbprint of the key; each proof is accepted once.
 * Proofs are dated by the machine's clock, since clients know no other. Throws a refusal.
 */
export function openProofCheck(realm: Realm): (request: ProvenRequest) => Promise<string> {
  const used = new Set<string>();
  const nonce = randomBytes(12).toString('base64url');
  return async ({ proof, method, url, accessToken }) => {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      maxTokenAge: oldestSeconds,
      clockTolerance: 15,
      requiredClaims: ['jti', 'htm', 'htu', 'iat'],
    }).catch((error: unknown) => {
      throw fault(`DPoP verification failure: ${error instanceof Error ? error.message : ''}`);
    });
    if (payload.htm !== method || payload.htu !== url) throw fault('DPoP HTTP method or URL mismatch');
    if (accessToken !== undefined && payload.ath !== hash(accessToken)) throw fault('DPoP access token hash mismatch');
    if (realm.settings().dpopNonce && payload.nonce !== nonce)
      throw new Refusal(400, 'use_dpop_nonce', 'Authorization server requires nonce in DPoP proof', {
        'DPoP-Nonce': nonce,
      });
    if (used.size === used.add(String(payload.jti)).size) throw fault('DPoP proof has already been used');
    return calculateJwkThumbprint(protectedHeader.jwk as JWK);
  };
}

const fault = (description: string) => new Refusal(400, 'invalid_request', description);
const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
