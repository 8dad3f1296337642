import { HouseError } from '../errors.ts';
import type { Database } from './client.ts';

const knownText = 'nightkeep';

interface Sealing<Keyring> {
  seal(
    keyring: Keyring,
    about: { purpose: string; owner: string },
    plaintext: string,
  ): { sealed: Uint8Array<ArrayBuffer>; keyId: string };
  unseal(keyring: Keyring, about: { purpose: string; owner: string }, sealed: Uint8Array): Uint8Array;
  at: Date;
}

/**
 * Opens the sealed known text of every key that this database was used with, and leaves one for the newest key. Throws
 * `keyring/invalid` when one does not open: what is sealed with that key would be lost to this process.
 */
export async function checkCanaries<Keyring>(
  database: Database,
  keyring: Keyring,
  { seal, unseal, at }: Sealing<Keyring>,
): Promise<void> {
  const about = (keyId: string) => ({ purpose: 'canary', owner: keyId });
  for (const { keyId, sealed } of await database.canary.findMany()) {
    try {
      unseal(keyring, about(keyId), sealed);
    } catch (cause) {
      throw new HouseError(
        'keyring/invalid',
        `The keyring is not the one this database was sealed with: key ${keyId} is missing or another one. Put the right KEYRING back.`,
        { cause, detail: { keyId } },
      );
    }
  }
  const { keyId } = seal(keyring, about(''), knownText);
  const { sealed } = seal(keyring, about(keyId), knownText);
  await database.canary.createMany({ data: [{ keyId, sealed, createdAt: at }], skipDuplicates: true });
}
