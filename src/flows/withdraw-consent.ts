import { cancelRuns } from '../database/runs.ts';
import { withdrawGrant } from '../database/withdrawals.ts';
import type { Resources } from '../resources.ts';
import { openToken } from './custody.ts';
import { forgetAccess } from './obtain-access.ts';

/**
 * Ends a grant: the plan is paused, its runs cancelled and the tokens shredded here first, then they are ended at the provider (RFC 7009).
 * Answers false if it had ended already; `revoked` says whether the provider heard of it.
 */
export async function withdrawConsent(
  resources: Pick<Resources, 'database' | 'issuer' | 'keyring' | 'clock' | 'log'>,
  { grantId, by, reason = 'withdrawn here' }: { grantId: string; by: string; reason?: string },
): Promise<{ withdrawn: boolean; revoked: boolean }> {
  const { database, clock } = resources;
  const ended = await withdrawGrant(database, { grantId, by, reason, at: clock.now() });
  forgetAccess(resources, grantId);
  await cancelRuns(database, { grantId, by, reason, at: clock.now() });
  if (ended === undefined) return { withdrawn: false, revoked: false };
  const owner = { userId: ended.grant.userId, grantId };
  const answers = await Promise.all(ended.tokens.map((token) => revoke(resources, owner, token)));
  return { withdrawn: true, revoked: answers.every((revoked) => revoked) };
}

/** The provider may be away; the consent has ended here all the same. */
async function revoke(
  { issuer, keyring, log }: Pick<Resources, 'issuer' | 'keyring' | 'log'>,
  owner: { userId: string; grantId: string },
  token: Parameters<typeof openToken>[2],
): Promise<boolean> {
  try {
    await issuer.revoke(openToken(keyring, owner, token));
    return true;
  } catch (error) {
    log.warn('grant.revoke.failed', { grantId: owner.grantId, error });
    return false;
  }
}
