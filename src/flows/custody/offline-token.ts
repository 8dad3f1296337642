import type { LeasedGrant, LeasedToken } from '../../database/leases.ts';
import type { ReceivedToken } from '../../database/rotations.ts';
import { type Deadlines, deadlinesAfter } from '../../domain/deadlines.ts';
import type { TokenAnswer } from '../../domain/verdict.ts';
import type { Resources } from '../../resources.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { purposes } from '../../vault/purposes.ts';
import { fingerprint, seal, unseal } from '../../vault/seal.ts';

/** An offline token with what the provider's answer said of it. */
export interface TokenInHand {
  refreshToken: string;
  issuedAt?: Date | undefined;
  endsAt?: Date | undefined;
  sid?: string | undefined;
}

/** A token made ready to be kept: it is sealed once its number is known. */
export function readyToKeep(
  keyring: Keyring,
  owner: { userId: string; grantId: string },
  { refreshToken, issuedAt, endsAt, sid }: TokenInHand,
): ReceivedToken {
  return {
    sealFor: (number) => seal(keyring, purposes.offlineToken(owner, number), refreshToken),
    fingerprint: fingerprint(keyring, refreshToken),
    issuedAt: issuedAt ?? null,
    endsAt: endsAt ?? null,
    sid: sid ?? null,
  };
}

/** The token of a generation in clear. Throws `seal/…`. */
export function openToken(
  keyring: Keyring,
  { userId, grantId }: { userId: string; grantId: string },
  { number, sealed }: { number: number; sealed: Uint8Array | null },
): string {
  if (sealed === null) throw new Error(`Generation ${number} of grant ${grantId} was shredded.`);
  return Buffer.from(unseal(keyring, purposes.offlineToken({ userId, grantId }, number), sealed)).toString();
}

/** The deadlines of a grant that was just given. */
export function deadlinesOfConsent(
  config: Resources['config'],
  { issuedAt, endsAt }: { issuedAt: Date | undefined; endsAt: Date | undefined },
  at: Date,
): Deadlines {
  const known = { consentedAt: at, idleSeconds: null, maxDeadline: null };
  return deadlinesAfter(known, { issuedAt: issuedAt ?? at, endsAt: endsAt ?? null }, at, config);
}

/** The deadlines of a grant after an exchange that was answered with this token. */
export function deadlinesOfExchange(
  config: Resources['config'],
  grant: LeasedGrant,
  sent: LeasedToken,
  { issuedAt, endsAt }: Pick<TokenAnswer, 'issuedAt' | 'endsAt'>,
  at: Date,
): Deadlines {
  const previous = { issuedAt: sent.issuedAt ?? sent.receivedAt, endsAt: sent.endsAt };
  return deadlinesAfter({ ...grant, previous }, { issuedAt: issuedAt ?? at, endsAt: endsAt ?? null }, at, config);
}
