import { withdrawGrant } from '../../database/withdrawals.ts';
import type { Resources } from '../../resources.ts';
import { type RevocationNeeds, revokeWithdrawn } from './revoke-tokens.ts';

export type WithdrawalNeeds = RevocationNeeds & Pick<Resources, 'tokenCache'>;

export interface WithdrawConsent {
  grantId: string;
  by: string;
  /** Why, as a word that pages turn into a sentence. */
  reason?: string;
  /** When the person's snapshots go; they stay where it is absent. */
  eraseAt?: Date | undefined;
}

/**
 * Ends a grant: here first (plan stopped, runs cancelled, tokens shredded), then at the provider (RFC 7009). Answers
 * false if it had ended already; `revoked` says whether the provider heard of it, which else is tried again later.
 */
export async function withdrawConsent(
  resources: WithdrawalNeeds,
  withdrawal: WithdrawConsent,
): Promise<{ withdrawn: boolean; revoked: boolean }> {
  if (!(await endConsentHere(resources, withdrawal))) return { withdrawn: false, revoked: false };
  const { left, shredded } = await revokeWithdrawn(resources, { grantId: withdrawal.grantId });
  return { withdrawn: true, revoked: left + shredded === 0 };
}

/** The part of it that needs no provider; false if the grant had ended already. */
export async function endConsentHere(
  { clock, database, tokenCache }: Pick<Resources, 'clock' | 'database' | 'tokenCache'>,
  { grantId, by, reason = 'withdrawn', eraseAt }: WithdrawConsent,
): Promise<boolean> {
  const ended = await withdrawGrant(database, { grantId, by, reason, eraseAt, at: clock.now() });
  tokenCache.known.delete(grantId);
  return ended !== undefined;
}
