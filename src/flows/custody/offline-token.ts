import type { SealedToken } from '../../database/generations.ts';
import type { Lease } from '../../database/leases.ts';
import type { Saved } from '../../database/rotations.ts';
import { type Deadlines, deadlinesAfter } from '../../domain/deadlines.ts';
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

/** Where a token comes back: the grant, and the number that the token gets unless another one takes it first. */
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

/** The deadlines of a grant that was just given. */
export function deadlinesOfConsent(config: Resources['config'], { issuedAt, endsAt }: Life, at: Date): Deadlines {
  const known = { consentedAt: at, idleSeconds: null, maxDeadline: null };
  return deadlinesAfter(known, { issuedAt: issuedAt ?? at, endsAt: endsAt ?? null }, at, config);
}

/** The deadlines of a grant after an exchange that was answered with this token. */
export function deadlinesOfExchange(
  config: Resources['config'],
  { grant, token: sent }: Pick<Lease, 'grant' | 'token'>,
  { issuedAt, endsAt }: Life,
  at: Date,
): Deadlines {
  const previous = { issuedAt: sent.issuedAt ?? sent.receivedAt, endsAt: sent.endsAt };
  return deadlinesAfter({ ...grant, previous }, { issuedAt: issuedAt ?? at, endsAt: endsAt ?? null }, at, config);
}
