import { listReplacedTokens, type ReplacedToken, saveRevoked } from '../../database/revocations.ts';
import { type RevocationNeeds, type Revocations, revokeTokens } from './revoke-tokens.ts';

/**
 * After a renewed consent has proved itself by an exchange: ends the tokens of the earlier ones. At the provider only
 * where both sessions are known and differ, since two consents in one session of a browser share their offline
 * session there, and revoking the old token would end the new one; else it is only destroyed here, as where the provider ends
 * the old token by itself.
 */
export async function revokeReplaced(
  resources: RevocationNeeds,
  { grantId }: { grantId: string },
): Promise<Revocations> {
  const { clock, database } = resources;
  const tokens = await listReplacedTokens(database, grantId);
  const { oneGrantPerClient } = await resources.issuer.profile();
  const endsAlone = (token: ReplacedToken) => !oneGrantPerClient && isApart(token);
  const apart = tokens.filter(endsAlone);
  const shared = tokens.filter((token) => !endsAlone(token));
  for (const token of shared)
    await saveRevoked(database, { token, end: 'shredded', reason: 'renewed', at: clock.now() });
  const count = await revokeTokens(resources, apart, 'renewed');
  return { ...count, shredded: count.shredded + shared.length };
}

function isApart({ sid, currentSid }: ReplacedToken): boolean {
  return sid !== null && currentSid !== null && sid !== currentSid;
}
