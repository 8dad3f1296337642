import type { AgreedAddresses } from '../../domain/source-choice.ts';
import { isSourceName, sourceNames } from '../../domain/source-names.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { fingerprint } from '../../vault/seal.ts';
import { readRecord } from './agreement.ts';

interface Consenting {
  readonly userId: string;
  readonly grantId: string;
}

/** A record with the proof that these addresses are what its person agreed to with this consent: whoever has the database alone can make none. */
export function withProof(
  keyring: Keyring,
  whose: Consenting,
  record: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return { ...record, proof: proofOf(keyring, whose, readRecord(record).facts) };
}

/**
 * The addresses that a record proves its person agreed to. What it names without a proof, as records of earlier versions do, counts as offered and
 * left out.
 */
export function provenAddresses(keyring: Keyring, whose: Consenting, record: unknown): AgreedAddresses {
  const { facts } = readRecord(record);
  const proof = typeof record === 'object' && record !== null && 'proof' in record ? record.proof : undefined;
  if (proof === proofOf(keyring, whose, facts)) return facts;
  return { leftOut: [...(facts.leftOut ?? []), ...Object.keys(facts).filter(isSourceName)] };
}

function proofOf(keyring: Keyring, { userId, grantId }: Consenting, facts: AgreedAddresses): string {
  const addresses = sourceNames.map((name) => facts[name] ?? null);
  return Buffer.from(fingerprint(keyring, `agreed to ${JSON.stringify([userId, grantId, addresses])}`)).toString(
    'base64url',
  );
}
