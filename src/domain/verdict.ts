import type { Hint } from './hint.ts';
import { meaningOf, type RefusalMeaning, type RefusalRule, type Refused } from './refusal-meaning.ts';
import type { TokenAnswer } from './tokens.ts';

/** A token request that returned no token. `unsent` never reached the provider; `lost` may have, and no complete answer came back. */
export type FailedAnswer =
  | { kind: 'unsent'; errorCode: string }
  | { kind: 'lost'; errorCode: string; status?: number }
  | ({ kind: 'refused'; hint?: Hint } & Refused);

/** Tokens that have arrived and are not validated yet. */
export interface ReceivedAnswer {
  kind: 'answered';
  status: number;
  tokens: TokenAnswer;
  /** Lets the client library validate the answer. Resolves to the code of its objection, if it has one; the tokens are real all the same. */
  validate: () => Promise<string | undefined>;
  /** That objection in words for people, with the cure, where it is a known one. */
  explain?: () => Promise<string | undefined>;
}

/** How one token request ended. */
export type ExchangeAnswer = FailedAnswer | ReceivedAnswer;

/** The fault of an answer whose tokens belong to another subject. */
export const wrongSubject = 'wrong-subject';

/**
 * ok: use it. transient: try again, nothing happened. operator: the client, the provider or its settings are at fault. person: the person or an
 * administrator must act. unclear: one of these two, and only time or introspection tells which. unsound: an answer came, but it failed a check of
 * Nightkeep. ambiguous: no answer came, and the provider may have rotated the token.
 */
export type Verdict = 'ok' | 'transient' | 'operator' | 'person' | 'unclear' | 'unsound' | 'ambiguous';

/** What each meaning of a refusal comes to. */
export const verdicts: Record<RefusalMeaning, Verdict> = {
  ended: 'person',
  interaction: 'person',
  permission: 'person',
  unclear: 'unclear',
  operator: 'operator',
  transient: 'transient',
  ambiguous: 'ambiguous',
};

/** What the answer of a provider with these rules means for the grant; `fault` says why its tokens may not be used, if they may not. */
export function judgeAnswer(answer: ExchangeAnswer, fault?: string, refusals?: readonly RefusalRule[]): Verdict {
  switch (answer.kind) {
    case 'unsent':
      return 'transient';
    case 'lost':
      return 'ambiguous';
    case 'refused':
      return verdicts[meaningOf(answer, refusals)];
    case 'answered':
      return fault === undefined ? 'ok' : fault === wrongSubject ? 'operator' : 'unsound';
  }
}
