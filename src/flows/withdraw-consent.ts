import { withdrawGrant } from '../database/withdrawals.ts';
import { forgetAccess } from './obtain-access.ts';
import { type RevocationNeeds, revokeWithdrawn } from './revoke-tokens.ts';

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
  resources: RevocationNeeds,
  { grantId, by, reason = 'withdrawn', eraseAt }: WithdrawConsent,
): Promise<{ withdrawn: boolean; revoked: boolean }> {
  const { database, clock } = resources;
  const ended = await withdrawGrant(database, { grantId, by, reason, eraseAt, at: clock.now() });
  forgetAccess(resources, grantId);
  if (ended === undefined) return { withdrawn: false, revoked: false };
  const { left, shredded } = await revokeWithdrawn(resources, { grantId });
  return { withdrawn: true, revoked: left + shredded === 0 };
}
