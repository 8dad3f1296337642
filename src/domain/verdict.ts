import type { Hint } from './hint.ts';

/** What a successful token answer held, read before anything was validated. */
export interface TokenAnswer {
  accessToken: string;
  refreshToken?: string;
  /** The access token is bound to the key that it was asked for with: `token_type` is DPoP (RFC 9449, section 5). */
  bound?: true;
  /** Seconds that the access token lives, from the moment of the answer. */
  expiresIn?: number;
  scope?: string;
  /** `sub` of the ID token, else of the access token where it can be decoded. */
  subject?: string;
  sid?: string;
  /** `typ` of the refresh token, where it can be decoded: Keycloak says Offline. */
  tokenType?: string;
  /** `iat` of the refresh token, where it can be decoded. */
  issuedAt?: Date;
  /** `exp` of the refresh token where it can be decoded, else the moment that `refresh_expires_in` gives unless it is 0. */
  endsAt?: Date;
}

/** How one token request ended. `unsent` never reached the provider; `lost` may have, and no whole answer came back. */
export type ExchangeAnswer =
  | { kind: 'unsent'; errorCode: string }
  | { kind: 'lost'; errorCode: string; status?: number }
  | { kind: 'refused'; status: number; errorCode: string; retryAfterMs?: number; hint?: Hint }
  /** `fault` says why the client library did not accept the answer; the tokens are real all the same. */
  | { kind: 'answered'; status: number; tokens: TokenAnswer; fault?: string };

/**
 * ok: use it. transient: try again, nothing happened. operator: the client, the provider or its settings are at fault.
 * person: the person or an administrator must act. ambiguous: the provider may have rotated.
 */
export type Verdict = 'ok' | 'transient' | 'operator' | 'person' | 'ambiguous';

interface Rule {
  verdict: Verdict;
  /** Statuses it is for; every one where absent. */
  status?: (status: number) => boolean;
  /** Values of `error` (RFC 6749, section 5.2) it is for; every one, and none at all, where absent. */
  errors?: readonly string[];
}

/** The first rule that fits decides. Descriptions are never read: they are for people and change between versions. */
const refusals: readonly Rule[] = [
  { verdict: 'person', status: (status) => status === 400, errors: ['invalid_grant', 'invalid_scope', 'not_allowed'] },
  { verdict: 'transient', status: (status) => status === 429 },
  { verdict: 'transient', errors: ['temporarily_unavailable', 'slow_down'] },
  { verdict: 'ambiguous', status: (status) => status < 300 || status >= 500 },
  { verdict: 'operator' },
];

/** What the answer means for the grant. */
export function judgeAnswer(answer: ExchangeAnswer): Verdict {
  switch (answer.kind) {
    case 'unsent':
      return 'transient';
    case 'lost':
      return 'ambiguous';
    case 'answered':
      return answer.fault === undefined ? 'ok' : 'ambiguous';
    case 'refused':
      return judgeRefusal(answer);
  }
}

function judgeRefusal({ status, errorCode, retryAfterMs }: ExchangeAnswer & { kind: 'refused' }): Verdict {
  if (status === 503 && retryAfterMs !== undefined) return 'transient';
  const rule = refusals.find(
    (candidate) => (candidate.status?.(status) ?? true) && (candidate.errors?.includes(errorCode) ?? true),
  );
  return rule?.verdict ?? 'operator';
}
