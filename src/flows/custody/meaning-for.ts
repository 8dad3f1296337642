import { findLivingToken } from '../../database/consent/generations.ts';
import type { Lease } from '../../database/custody/leases.ts';
import { isProven } from '../../database/custody/proven-questions.ts';
import { meaningOf, type RefusalMeaning, type Refused } from '../../domain/refusal-meaning.ts';
import type { Needs } from './needs.ts';
import { openToken } from './offline-token.ts';
import { findClientRefusal } from './proven-questions.ts';

/**
 * What a refusal means. If a dead token and a refused client give the same answer, introspection (RFC 7662) settles it, provided that it tells the
 * truth about refresh tokens: known of the make, or seen with a living token. If that says nothing, the provider is asked about the client.
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
  if (told === undefined) return (await findClientRefusal(resources, lease.grant)) === undefined ? meaning : 'operator';
  if (told.active) return 'transient';
  return profile.introspection === 'true' || (await knowsLivingTokens(resources, lease)) ? 'ended' : meaning;
}

/** Some providers call every refresh token inactive: one that lives tells, now or when somebody consented. */
async function knowsLivingTokens(
  { database, issuer, keyring }: Pick<Needs, 'database' | 'issuer' | 'keyring'>,
  { grant }: Lease,
): Promise<boolean> {
  if (await isProven(database, { ...grant, question: 'refresh_token' })) return true;
  const living = await findLivingToken(database, { issuer: grant.issuer, clientId: grant.clientId, besides: grant.id });
  return living !== null && (await issuer.introspect(openToken(keyring, living, living)))?.active === true;
}
