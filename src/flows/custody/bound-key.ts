import type { Keyring } from '../../vault/keyring.ts';
import { purposes } from '../../vault/purposes.ts';
import { seal, unseal } from '../../vault/seal.ts';

interface Owner {
  userId: string;
  grantId: string;
}

/** The columns of a grant for the key that its tokens are bound to (RFC 9449), or for having none. */
export function sealBoundKey(keyring: Keyring, owner: Owner, boundKey: string | undefined) {
  if (boundKey === undefined) return { sealedDpopKey: null, dpopKeyId: null };
  const { sealed, keyId } = seal(keyring, purposes.dpopKey(owner), boundKey);
  return { sealedDpopKey: sealed, dpopKeyId: keyId };
}

/** The key that the tokens of a grant are bound to, where they are. Throws `seal/…`. */
export function openBoundKey(keyring: Keyring, owner: Owner, sealed: Uint8Array | null): string | undefined {
  return sealed === null ? undefined : Buffer.from(unseal(keyring, purposes.dpopKey(owner), sealed)).toString();
}
