import type { SealedToken } from '../../database/consent/generations.ts';
import type { Lease } from '../../database/custody/leases.ts';
import type { Saved } from '../../database/custody/rotations.ts';
import { type Deadlines, deadlinesAfter, type OfflineWindows } from '../../domain/deadlines.ts';
import type { ProviderProfile } from '../../domain/providers/profile.ts';
import type { OfflineToken } from '../../domain/tokens.ts';
import type { Resources } from '../../resources.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { purposes } from '../../vault/purposes.ts';
import { fingerprint, seal, unseal } from '../../vault/seal.ts';

interface Owner {
  userId: string;
  grantId: string;
}

/** Seals a token for the number of the generation that it becomes. */
export function sealToken(
  keyring: Keyring,
  owner: Owner,
  number: number,
  { refreshToken, issuedAt, endsAt, sid }: OfflineToken,
): SealedToken {
  return {
    number,
    ...seal(keyring, purposes.offlineToken(owner, number), refreshToken),
    fingerprint: fingerprint(keyring, refreshToken),
    issuedAt: issuedAt ?? null,
    endsAt: endsAt ?? null,
    sid: sid ?? null,
  };
}

/** The token of a generation in clear. Throws `seal/…`. */
export function openToken(
  keyring: Keyring,
  { userId, grantId }: Owner,
  { number, sealed }: { number: number; sealed: Uint8Array | null },
): string {
  if (sealed === null) throw new Error(`Generation ${number} of grant ${grantId} was shredded.`);
  return Buffer.from(unseal(keyring, purposes.offlineToken({ userId, grantId }, number), sealed)).toString();
}

/** The grant that a new token belongs to, and the number that the token gets unless another takes it first. */
interface Place {
  grant: { id: string; userId: string };
  nextNumber: number;
}

/** Saves a token that came back, sealed for the number that it gets. Throws what `save` throws. */
export async function saveSealed(
  keyring: Keyring,
  { grant, nextNumber }: Place,
  token: OfflineToken,
  save: (sealed: SealedToken) => Promise<Saved>,
): Promise<Exclude<Saved, { outcome: 'taken' }>> {
  const owner = { userId: grant.userId, grantId: grant.id };
  const saved = await save(sealToken(keyring, owner, nextNumber, token));
  if (saved.outcome !== 'taken') return saved;
  return saveSealed(keyring, { grant, nextNumber: saved.nextNumber }, token, save);
}

type Life = Pick<OfflineToken, 'issuedAt' | 'endsAt'>;

type Configured = Pick<Resources['config'], 'offlineIdleMs' | 'offlineMaxMs'>;

/**
 * How long tokens and grants live by the settings and the make of provider: the shorter of the two idle windows, and the maximum of the settings
 * before that of the make.
 */
export function windowsOf(
  { offlineIdleMs, offlineMaxMs }: Configured,
  { idle, maximum }: Pick<ProviderProfile, 'idle' | 'maximum'>,
): OfflineWindows {
  const max = offlineMaxMs ?? (maximum && maximum.seconds * 1000);
  return {
    offlineIdleMs: Math.min(offlineIdleMs, idle === undefined ? Number.POSITIVE_INFINITY : idle.seconds * 1000),
    ...(max !== undefined && { offlineMaxMs: max }),
  };
}

/** The deadlines of a grant that was just given. */
export function deadlinesOfConsent(windows: OfflineWindows, { issuedAt, endsAt }: Life, at: Date): Deadlines {
  const known = { consentedAt: at, idleSeconds: null, maxDeadline: null };
  return deadlinesAfter(known, { issuedAt: issuedAt ?? at, endsAt: endsAt ?? null }, at, windows);
}

/**
 * The deadlines of a grant after an exchange that was answered with this token. If no token came, the old one stays, with the end that is known;
 * with some makes nothing but a new token moves the end.
 */
export function deadlinesOfExchange(
  { config, profile }: { config: Configured; profile: ProviderProfile },
  { grant, token: sent }: Pick<Lease, 'grant' | 'token'>,
  { refreshToken, issuedAt, endsAt }: Life & { refreshToken?: string | undefined },
  at: Date,
): Deadlines {
  const windows = windowsOf(config, profile);
  const previous = { issuedAt: sent.issuedAt ?? sent.receivedAt, endsAt: sent.endsAt };
  if (refreshToken !== undefined || endsAt !== undefined)
    return deadlinesAfter({ ...grant, previous }, { issuedAt: issuedAt ?? at, endsAt: endsAt ?? null }, at, windows);
  const keptEnd = sent.endsAt ?? (profile.keptTokenKeepsItsEnd ? grant.idleDeadline : null);
  // Without an earlier token to compare with, an end that stays is not taken for the maximum of the grant.
  return deadlinesAfter(grant, { issuedAt: previous.issuedAt, endsAt: keptEnd }, at, windows);
}
