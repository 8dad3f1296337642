import type { ReceivedToken } from '../database/grants.ts';
import type { Resources } from '../resources.ts';
import type { Keyring } from '../vault/keyring.ts';
import { fingerprint, seal, unseal } from '../vault/seal.ts';

/** What an offline token is sealed for: this grant of this person, and this generation of it. */
export function bindingOf(owner: { userId: string; grantId: string }, number: number) {
  return { purpose: 'offline token', owner: `${owner.userId}/${owner.grantId}/${number}` };
}

/** A token made ready to be kept: it is sealed once its number is known. */
export function readyToKeep(
  keyring: Keyring,
  owner: { userId: string; grantId: string },
  { refreshToken, issuedAt }: { refreshToken: string; issuedAt?: Date | undefined },
): ReceivedToken {
  return {
    sealFor: (number) => seal(keyring, bindingOf(owner, number), refreshToken),
    fingerprint: fingerprint(keyring, refreshToken),
    issuedAt,
  };
}

/** The token of a generation in clear. Throws `seal/…`. */
export function openToken(
  keyring: Keyring,
  { userId, grantId }: { userId: string; grantId: string },
  { number, sealed }: { number: number; sealed: Uint8Array | null },
): string {
  if (sealed === null) throw new Error(`Generation ${number} of grant ${grantId} was shredded.`);
  return Buffer.from(unseal(keyring, bindingOf({ userId, grantId }, number), sealed)).toString();
}

/** After an exchange: when the token ends if nobody uses it, and when keep-alive uses it at the latest (a quarter of that). */
export function deadlinesFrom({ offlineIdleMs: idleMs }: Resources['config'], at: Date) {
  return { idleDeadline: new Date(at.getTime() + idleMs), nextExchangeAt: new Date(at.getTime() + idleMs / 4) };
}

/** When the token ends whatever is done: the provider's word where the token has one, else the setting. */
export function maxDeadlineFrom(
  { offlineMaxMs }: Resources['config'],
  at: Date,
  endsAt: Date | undefined,
): Date | undefined {
  if (endsAt !== undefined) return endsAt;
  return offlineMaxMs === undefined ? undefined : new Date(at.getTime() + offlineMaxMs);
}
