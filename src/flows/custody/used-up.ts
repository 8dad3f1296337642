import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { fingerprint } from '../../vault/seal.ts';

type Needs = Pick<Resources, 'keyring' | 'tokenCache'>;

const mostOfAGrant = 32;

/** Remembers that the provider replaced this token. A provider that issues an earlier token again makes it valid again. */
export function rememberUsedUp(
  { keyring, tokenCache: { usedUp } }: Needs,
  { grantId, sent, received }: { grantId: string; sent: string; received: string },
): void {
  const [old, fresh] = [sent, received].map((token) => nameOf(keyring, token));
  const before = (usedUp.get(grantId) ?? []).filter((name) => name !== fresh && name !== old);
  if (old !== undefined) usedUp.set(grantId, [...before, old].slice(-mostOfAGrant));
}

/**
 * Throws `seal/replayed` for a token that this process had replaced: its sealed value opens, but somebody put an older row back. The provider
 * would take it for stolen, and end the consent.
 */
export function refuseUsedUp(
  { keyring, tokenCache: { usedUp } }: Needs,
  { grantId, sent }: { grantId: string; sent: string },
): void {
  if (usedUp.get(grantId)?.includes(nameOf(keyring, sent)) !== true) return;
  throw new AppError(
    'seal/replayed',
    'The database has an older token of this consent again, so it was not sent. The operator must put the newest row back; otherwise the person has to consent again.',
  );
}

function nameOf(keyring: Needs['keyring'], token: string): string {
  return Buffer.from(fingerprint(keyring, token)).toString('base64url');
}
