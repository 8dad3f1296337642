import { withdrawGrant } from '../../database/consent/withdrawals.ts';
import { tokenRow } from '../../domain/marks.ts';
import type { Resources } from '../../resources.ts';
import { erasureSealing } from '../../vault/row-seals.ts';
import { raiseMark } from '../keys/marks.ts';
import { type RevocationNeeds, revokeWithdrawn } from './revoke-tokens.ts';

export type WithdrawalNeeds = RevocationNeeds & Pick<Resources, 'marks' | 'store' | 'tokenCache'>;

export interface WithdrawConsent {
  grantId: string;
  by: string;
  /** Why, as a word that pages turn into a sentence. */
  reason?: string;
  /** Why, in the words of the operator who does it for them. */
  words?: string;
  /** When the person's snapshots go; they stay where it is absent. */
  eraseAt?: Date | undefined;
}

/** What became of the tokens at the provider: revoked there, to be tried again, or not revocable from here. */
export type TokensAtProvider = 'ended' | 'outstanding' | 'not ended there';

/**
 * Ends a grant: here first (plan stopped, runs cancelled, tokens shredded), then at the provider (RFC 7009). Answers
 * false if it had ended already.
 */
export async function withdrawConsent(
  resources: WithdrawalNeeds,
  withdrawal: WithdrawConsent,
): Promise<{ withdrawn: false } | { withdrawn: true; tokens: TokensAtProvider }> {
  if (!(await endConsentHere(resources, withdrawal))) return { withdrawn: false };
  const { left, shredded } = await revokeWithdrawn(resources, { grantId: withdrawal.grantId });
  return { withdrawn: true, tokens: left > 0 ? 'outstanding' : shredded > 0 ? 'not ended there' : 'ended' };
}

/**
 * The part of it that needs no provider; false if the grant had ended already. Its tokens are older ones from then on, also if somebody puts the former rows
 * back before the provider has ended them.
 */
export async function endConsentHere(
  resources: Pick<Resources, 'clock' | 'database' | 'keyring' | 'log' | 'marks' | 'store' | 'tokenCache'>,
  { grantId, by, reason = 'withdrawn', words, eraseAt }: WithdrawConsent,
): Promise<boolean> {
  const { clock, database, keyring, tokenCache } = resources;
  const sealing = erasureSealing(keyring);
  const ended = await withdrawGrant(database, { grantId, by, reason, words, eraseAt, sealing, at: clock.now() });
  tokenCache.known.delete(grantId);
  if (ended === undefined) return false;
  await raiseMark(resources, ended.userId, { rows: { [tokenRow(grantId)]: ended.nextNumber } });
  return true;
}
