import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Backend } from '../backend/backend.ts';
import type { MasterKey } from '../format/envelope.ts';
import { type KeyId, parseId } from '../format/ids.ts';
import { createKeyFile, type KeyFileFacts, openKeyFile, readKeyFacts, type Scrypt } from '../format/key-file.ts';
import { timestamp } from '../format/timestamp.ts';

export interface NewKey {
  readonly clock: Clock;
  readonly username?: string;
  readonly hostname?: string;
  readonly scrypt?: Scrypt;
}

/** Passwords of a repository: each key file wraps the same master key. Readers try 20 of them at most, so keep few. */
export interface Keys {
  /** Adds a password that opens the repository. */
  addKey(password: string, options: NewKey): Promise<KeyId>;
  /** Removes a password. Whoever opened the repository with it before still has the master key. The key in use cannot be removed. */
  removeKey(id: KeyId): Promise<void>;
  listKeys(): AsyncIterable<KeyFileFacts & { readonly id: KeyId }>;
}

export function createKeys(
  backend: Backend,
  { masterKey, keyId }: { readonly masterKey: MasterKey; readonly keyId: KeyId },
): Keys {
  return {
    addKey: (password, options) => saveKeyFile(backend, masterKey, password, options),
    removeKey: async (id) => {
      if (id === keyId) throw new Error('The key that the repository was opened with is not removed.');
      await backend.remove('key', id);
    },
    listKeys: async function* () {
      for await (const { name } of backend.list('key')) {
        yield { id: parseId<KeyId>(name), ...readKeyFacts(await backend.load('key', name)) };
      }
    },
  };
}

/** Writes a key file; it is opened with the password again before it is kept. */
export async function saveKeyFile(
  backend: Backend,
  masterKey: MasterKey,
  password: string,
  { clock, username = '', hostname = '', scrypt }: NewKey,
): Promise<KeyId> {
  const facts = { created: timestamp(clock.now()), username, hostname };
  const { id, bytes } = await createKeyFile(masterKey, password, facts, scrypt);
  if ((await openKeyFile(bytes, password)) === undefined) throw new Error('A new key file does not open.');
  await backend.save('key', id, bytes);
  return id;
}

/** The master key that the password opens, trying one key file first and one last. Throws `repository/wrong-password`. */
export async function findMasterKey(
  backend: Backend,
  password: string,
  { first, last }: { first?: KeyId | undefined; last?: KeyId | undefined } = {},
): Promise<{ masterKey: MasterKey; keyId: KeyId }> {
  const names = (await Array.fromAsync(backend.list('key'), ({ name }) => name)).sort();
  const rank = (name: string) => (name === first ? 0 : name === last ? 2 : 1);
  for (const name of names.toSorted((a, b) => rank(a) - rank(b))) {
    const masterKey = await openKeyFile(await backend.load('key', name), password);
    if (masterKey !== undefined) return { masterKey, keyId: parseId<KeyId>(name) };
  }
  throw new AppError('repository/wrong-password', 'No key of the repository opens with this password.');
}
