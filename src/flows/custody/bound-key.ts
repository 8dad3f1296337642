import type { TokenAnswer } from '../../domain/verdict.ts';
import type { Resources } from '../../resources.ts';
import type { AccessToken } from '../../sources/source.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { purposes } from '../../vault/purposes.ts';
import { seal, unseal } from '../../vault/seal.ts';

interface Owner {
  userId: string;
  grantId: string;
}

/** The columns of a grant for its key, or for having none. */
export function boundKeyToKeep(keyring: Keyring, owner: Owner, boundKey: string | undefined) {
  if (boundKey === undefined) return { sealedDpopKey: null, dpopKeyId: null };
  const { sealed, keyId } = seal(keyring, purposes.dpopKey(owner), boundKey);
  return { sealedDpopKey: sealed, dpopKeyId: keyId };
}

/** The key that the tokens of a grant are bound to, where they are. Throws `seal/…`. */
export function openBoundKey(keyring: Keyring, owner: Owner, sealed: Uint8Array | null): string | undefined {
  if (sealed === null) return undefined;
  return Buffer.from(unseal(keyring, purposes.dpopKey(owner), sealed)).toString();
}

/** The access token of an answer, with the proofs that go with it where it is bound to the key of the grant. */
export function proving(
  { prove }: Resources['issuer'],
  { accessToken: token, bound }: TokenAnswer,
  boundKey: string | undefined,
): AccessToken {
  if (bound !== true || boundKey === undefined) return { token };
  return { token, prove: (request) => prove(boundKey, { ...request, accessToken: token }) };
}
