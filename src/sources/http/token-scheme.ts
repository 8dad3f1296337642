import type { AccessToken } from '../source.ts';
import type { ResponseHead } from './request.ts';
import { textOf } from './status.ts';

/** The headers that carry a token in one request; each request needs its own. */
export interface TokenHeaders {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** The nonce in the proof; `none` where there was no proof. */
  readonly proof: { nonce: string | undefined } | 'none';
}

/** How access tokens are sent to one server, learned from its responses. */
export interface TokenScheme {
  /** Of a token that needs no proof they are there at once. */
  headersFor(token: AccessToken, method: string, path: string): Promise<TokenHeaders> | TokenHeaders;
  /** Learns from the response; true where the server may accept the same request with new headers. */
  learn(head: ResponseHead, sent: TokenHeaders): boolean;
}

/**
 * A token that is bound to a key is sent with a proof (RFC 9449, section 7.1). A server whose refusal does not name that scheme
 * only knows bearer tokens, and gets them from then on (section 7.2); one that wants its nonce in the proof gets it (section 9).
 */
export function openTokenScheme(origin: string): TokenScheme {
  let acceptsProofs: boolean | undefined;
  let nonce: string | undefined;
  async function provenHeaders(
    token: string,
    prove: NonNullable<AccessToken['prove']>,
    method: string,
    path: string,
  ): Promise<TokenHeaders> {
    const [withoutQuery = ''] = path.split('?');
    const proof = { nonce };
    const proven = await prove({ method, url: origin + withoutQuery, nonce });
    return { headers: ['authorization', `DPoP ${token}`, 'dpop', proven], proof };
  }
  return {
    headersFor: ({ token, prove }, method, path) => {
      if (prove === undefined || acceptsProofs === false)
        return { headers: ['authorization', `Bearer ${token}`], proof: 'none' };
      return provenHeaders(token, prove, method, path);
    },
    learn: ({ status, headers }, { proof }) => {
      nonce = textOf(headers['dpop-nonce']) ?? nonce;
      if (proof === 'none') return false;
      if (status < 300) acceptsProofs = true;
      if (status !== 401) return false;
      const challenges = [headers['www-authenticate'] ?? []].flat().join(', ');
      if (/(^|[\s,])dpop([\s,]|$)/i.test(challenges)) return /use_dpop_nonce/.test(challenges) && nonce !== proof.nonce;
      acceptsProofs ??= false;
      return !acceptsProofs;
    },
  };
}
