import type { AccessToken } from '../source.ts';
import type { Answer } from './request.ts';
import { textOf } from './status.ts';

/** The headers that show a token in one request; each request needs its own. */
export interface Shown {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** The nonce in the proof; `none` where there was no proof. */
  readonly proof: { nonce: string | undefined } | 'none';
}

/** How access tokens are shown to one server, learned from what it answers. */
export interface Presentation {
  show(token: AccessToken, method: string, path: string): Promise<Shown>;
  /** Takes the server's word; true where it may take the same request when the token is shown anew. */
  learn(answer: Answer, shown: Shown): boolean;
}

/**
 * A token that is bound to a key goes with a proof (RFC 9449, section 7.1). A server whose refusal names no such scheme knows bearer
 * tokens only and gets it as one from then on (section 7.2); one that wants its nonce in the proof gets that (section 9).
 */
export function presentationTo(origin: string): Presentation {
  let takesProofs: boolean | undefined;
  let nonce: string | undefined;
  return {
    show: async ({ token, prove }, method, path) => {
      if (prove === undefined || takesProofs === false)
        return { headers: ['authorization', `Bearer ${token}`], proof: 'none' };
      const [withoutQuery = ''] = path.split('?');
      const proof = { nonce };
      const proven = await prove({ method, url: origin + withoutQuery, nonce });
      return { headers: ['authorization', `DPoP ${token}`, 'dpop', proven], proof };
    },
    learn: ({ status, headers }, { proof }) => {
      nonce = textOf(headers['dpop-nonce']) ?? nonce;
      if (proof === 'none') return false;
      if (status < 300) takesProofs = true;
      if (status !== 401) return false;
      const challenges = [headers['www-authenticate'] ?? []].flat().join(', ');
      if (/(^|[\s,])dpop([\s,]|$)/i.test(challenges)) return /use_dpop_nonce/.test(challenges) && nonce !== proof.nonce;
      takesProofs ??= false;
      return !takesProofs;
    },
  };
}
