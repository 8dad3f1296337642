import { listSessionsOfGrant } from '../../database/consent/grants.ts';
import type { Authorized } from '../../oidc/authorization.ts';
import { cannotBeEnded } from '../../oidc/token-ending.ts';
import type { Resources } from '../../resources.ts';

export type UnkeptNeeds = Pick<Resources, 'database' | 'issuer' | 'log'>;

/** Tokens that the provider gave, and whose they are. */
export type UnkeptTokens = Pick<Authorized, 'issuer' | 'subject' | 'tokens'>;

/**
 * Revokes a refresh token at the provider (RFC 7009) that is not kept, so that none stays alive that nobody knows of. Not if that would end more:
 * Keycloak's `Refresh` token is the session of the browser and ends with it, and the `Offline` tokens of one session end together, also that of a
 * consent that is kept. Never throws: failures are logged.
 */
export async function endUnkeptToken({ database, issuer, log }: UnkeptNeeds, unkept: UnkeptTokens): Promise<void> {
  const { refreshToken, sid, tokenType } = unkept.tokens;
  if (refreshToken === undefined || tokenType === 'Refresh') return;
  try {
    const about = { issuer: unkept.issuer, subject: unkept.subject, clientId: issuer.clientId };
    const sessions = tokenType === 'Offline' ? await listSessionsOfGrant(database, about) : [];
    const shared = sessions.some((one) => one === null || sid === undefined || one === sid);
    if (!shared) await issuer.revoke(refreshToken);
    log.info(shared ? 'token.shared' : 'token.ended', { sid });
  } catch (error) {
    log.warn('token.left-alive', { why: cannotBeEnded(error) ? 'no way to end it' : 'not revoked', error });
  }
}
