import { listReplacedTokens, type ReplacedToken, saveRevoked } from '../../database/consent/revocations.ts';
import { type RevocationNeeds, type Revocations, revokeTokens } from './revoke-tokens.ts';

/**
 * Called after a renewed consent has proved itself by an exchange: ends the tokens of the earlier ones. It revokes them at the provider only if
 * both sessions are known and differ, since two consents in one browser session share their offline session there, and revoking the old token would
 * end the new one. Otherwise it only destroys them here, as it does if the provider ends the old token by itself.
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
