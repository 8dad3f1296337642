import { findLivingToken } from '../../database/generations.ts';
import type { Lease } from '../../database/leases.ts';
import { meaningOf, type RefusalMeaning, type Refused } from '../../domain/refusal-meaning.ts';
import type { Needs } from './needs.ts';
import { openToken } from './offline-token.ts';

/**
 * What a refusal means. Where a dead token and a refused client sound the same, introspection (RFC 7662) settles it if it tells
 * the truth of refresh tokens: known of the make, or seen by a token of the same client that went well last.
 */
export async function meaningFor(
  resources: Pick<Needs, 'database' | 'issuer' | 'keyring'>,
  lease: Lease,
  { answer, sent }: { answer: Refused; sent: string },
): Promise<RefusalMeaning> {
  const profile = await resources.issuer.profile();
  const meaning = meaningOf(answer, profile.refusals);
  if (meaning !== 'unclear' || profile.introspection === 'untrue') return meaning;
  const told = await resources.issuer.introspect(sent);
  if (told === undefined) return meaning;
  if (told.active) return 'transient';
  return profile.introspection === 'true' || (await knowsLivingTokens(resources, lease)) ? 'ended' : meaning;
}

/** Some providers call every refresh token inactive: one that lives tells. */
async function knowsLivingTokens(
  { database, issuer, keyring }: Pick<Needs, 'database' | 'issuer' | 'keyring'>,
  { grant }: Lease,
): Promise<boolean> {
  const living = await findLivingToken(database, { issuer: grant.issuer, clientId: grant.clientId, besides: grant.id });
  return living !== null && (await issuer.introspect(openToken(keyring, living, living)))?.active === true;
}
