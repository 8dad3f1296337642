import { isLogoutTaken, listGrantsOfSession, saveLogout } from '../../database/people/logouts.ts';
import { AppError } from '../../errors.ts';
import { endConsentHere, type WithdrawalNeeds } from './withdraw-consent.ts';

/**
 * Handles a back-channel logout: ends the web sessions of that session, and with `revoke_offline_access` its grants too, as if withdrawn. Answers
 * those grants: their tokens are to be revoked only after the provider has its answer, since it may hold locks until then. Throws `logout/invalid-
 * token`, `provider/unavailable`.
 */
export async function endSession(resources: WithdrawalNeeds, logoutToken: string): Promise<string[]> {
  const { clock, database, issuer, log } = resources;
  const token = await issuer.readLogoutToken(logoutToken);
  if (await isLogoutTaken(database, token)) throw replayed();
  const grantIds = token.revokesOfflineAccess ? await listGrantsOfSession(database, token) : [];
  for (const grantId of grantIds)
    await endConsentHere(resources, { grantId, by: 'provider', reason: 'back_channel_logout' });
  // Last, so that a logout that fails half way may be sent again.
  if (!(await saveLogout(database, token, clock.now()))) throw replayed();
  log.info('session.ended', { grants: grantIds.length });
  return grantIds;
}

function replayed(): AppError {
  return new AppError('logout/invalid-token', 'The logout token is not valid: it was used before.');
}
