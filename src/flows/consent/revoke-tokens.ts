import {
  listWithdrawnTokens,
  type RevocationEnd,
  saveRevoked,
  type TokenToRevoke,
} from '../../database/consent/revocations.ts';
import { isAppError } from '../../errors.ts';
import { cannotBeEnded } from '../../oidc/token-ending.ts';
import type { Resources } from '../../resources.ts';
import { openToken } from '../custody/offline-token.ts';

export type RevocationNeeds = Pick<Resources, 'clock' | 'database' | 'issuer' | 'keyring' | 'log'>;

export interface Revocations {
  revoked: number;
  /** Shredded without the provider: it offers no revocation, or the token has ended by itself. */
  shredded: number;
  /** To be tried again. */
  left: number;
}

const most = 10_000;

/** Revokes at the provider what was withdrawn here, of one grant or of all; what cannot be delivered now is tried again later. */
export async function revokeWithdrawn(resources: RevocationNeeds, of: { grantId?: string } = {}): Promise<Revocations> {
  const { clock, database } = resources;
  const tokens = await listWithdrawnTokens(database, { ...of, at: clock.now(), limit: most });
  return revokeTokens(resources, tokens, 'withdrawn');
}

/**
 * Revokes tokens at the provider (RFC 7009), never by its logout endpoint, which would end other sessions too, and destroys them here. A token that
 * the provider cannot be told about is kept until its idle window has passed.
 */
export async function revokeTokens(
  resources: RevocationNeeds,
  tokens: readonly TokenToRevoke[],
  reason: string,
): Promise<Revocations> {
  const { clock, database } = resources;
  const count = { revoked: 0, shredded: 0, left: 0 };
  let away = false;
  for (const token of tokens) {
    const answer: Answer = away ? 'away' : await revoke(resources, token);
    away ||= answer === 'away';
    const at = clock.now();
    const end = endAfter(answer, token, at);
    if (end !== undefined) await saveRevoked(database, { token, end, reason, at });
    count[end === undefined ? 'left' : end === 'revoked' ? 'revoked' : 'shredded'] += 1;
  }
  return count;
}

type Answer = 'revoked' | 'impossible' | 'refused' | 'away';

async function revoke({ issuer, keyring, log }: RevocationNeeds, token: TokenToRevoke): Promise<Answer> {
  try {
    await issuer.revoke(openToken(keyring, token, token));
    return 'revoked';
  } catch (error) {
    log.warn('grant.revoke.failed', { grantId: token.grantId, generation: token.number, error });
    if (cannotBeEnded(error)) return 'impossible';
    return isAppError(error, 'provider/unavailable') ? 'away' : 'refused';
  }
}

function endAfter(answer: Answer, { endsAt }: TokenToRevoke, at: Date): RevocationEnd | undefined {
  if (answer === 'revoked') return 'revoked';
  if (answer === 'impossible') return 'shredded';
  return endsAt !== null && endsAt <= at ? 'expired' : undefined;
}
