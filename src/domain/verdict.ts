import type { Hint } from './hint.ts';
import type { TokenAnswer } from './tokens.ts';

/** A token request that brought no token. `unsent` never reached the provider; `lost` may have, and no whole answer came back. */
export type FailedAnswer =
  | { kind: 'unsent'; errorCode: string }
  | { kind: 'lost'; errorCode: string; status?: number }
  | { kind: 'refused'; status: number; errorCode: string; retryAfterMs?: number; hint?: Hint };

/** Tokens that arrived and were not validated yet. */
export interface ReceivedAnswer {
  kind: 'answered';
  status: number;
  tokens: TokenAnswer;
  /** Lets the client library validate the answer. Resolves to the code of its objection, if it has one; the tokens are real all the same. */
  validate: () => Promise<string | undefined>;
}

/** How one token request ended. */
export type ExchangeAnswer = FailedAnswer | ReceivedAnswer;

/** The fault of an answer whose tokens belong to another subject. */
export const wrongSubject = 'wrong-subject';

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

/** What the answer means for the grant; `fault` says why its tokens may not be used, if they may not. */
export function judgeAnswer(answer: ExchangeAnswer, fault?: string): Verdict {
  switch (answer.kind) {
    case 'unsent':
      return 'transient';
    case 'lost':
      return 'ambiguous';
    case 'refused':
      return judgeRefusal(answer);
    case 'answered':
      return fault === undefined ? 'ok' : fault === wrongSubject ? 'operator' : 'ambiguous';
  }
}

function judgeRefusal({ status, errorCode, retryAfterMs }: FailedAnswer & { kind: 'refused' }): Verdict {
  if (status === 503 && retryAfterMs !== undefined) return 'transient';
  const rule = refusals.find(
    (candidate) => (candidate.status?.(status) ?? true) && (candidate.errors?.includes(errorCode) ?? true),
  );
  return rule?.verdict ?? 'operator';
}
