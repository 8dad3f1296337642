import type { Clock } from '../../clock.ts';
import { countWords } from '../../count-words.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Backend } from '../backend/backend.ts';
import type { MasterKey } from '../format/envelope.ts';
import { idOf, type KeyId, parseId } from '../format/ids.ts';
import {
  costOf,
  createKeyFile,
  type KeyFileFacts,
  openKeyFile,
  readKeyFacts,
  type Scrypt,
} from '../format/key-file.ts';
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
  /** What key files tell without their passwords; those that cannot be read are left out (`checkKeys` names them). */
  listKeys(): AsyncIterable<KeyFileFacts & { readonly id: KeyId }>;
}

/** The key files beside a repository that was opened with the key `keyId`. */
export function createKeys(
  backend: Backend,
  { masterKey, keyId }: { readonly masterKey: MasterKey; readonly keyId: KeyId },
): Keys {
  return {
    addKey: (password, options) => saveKeyFile(backend, masterKey, password, options),
    removeKey: async (id) => {
      if (id === keyId) throw new Error('The key that the repository was opened with is not removed.');
      // Whoever changed its password with stock restic has removed it already.
      await backend.remove('key', id).catch((error: unknown) => {
        if (!isAppError(error, 'store/not-found')) throw error;
      });
    },
    listKeys: async function* () {
      for await (const { name } of backend.list('key')) {
        const id = parseId<KeyId>(name);
        const facts = await loadUnlessGone(backend, id)
          .then((bytes) => bytes && readKeyFacts(bytes))
          .catch((error: unknown) => (isOfOneFile(error) ? undefined : undefinedIfDamaged(error)));
        if (facts !== undefined) yield { id, ...facts };
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

/** All tries of a password that a person keeps may cost this much together, about half a minute. Stock restic tries 20 key files. */
const mostTries = 256;

/**
 * The master key that the password opens, trying one key file first and one last. A damaged file hides no other, nor does one that is no key
 * file, or that may not be read. Throws `repository/wrong-password`, or `repository/damaged` with the names of the damaged files where one of these
 * may be the one, or why a file could not be read.
 */
export async function findMasterKey(
  backend: Backend,
  password: string,
  { first, last }: { first?: KeyId | undefined; last?: KeyId | undefined } = {},
): Promise<{ masterKey: MasterKey; keyId: KeyId }> {
  const names = (await Array.fromAsync(backend.list('key'), ({ name }) => parseId<KeyId>(name))).sort();
  const rank = (name: KeyId) => (name === first ? 0 : name === last ? 2 : 1);
  const damaged: { keyId: KeyId; bytes: Buffer }[] = [];
  const counts = { whole: 0, others: 0, untried: 0 };
  let unread: unknown;
  let left = mostTries;
  const attempt = async (bytes: Buffer) => {
    const cost = await attempted(() => costOf(bytes));
    if (cost === undefined) counts.others += 1;
    else if (cost > left) counts.untried += 1;
    else {
      left -= cost;
      counts.whole += 1;
      return attempted(() => openKeyFile(bytes, password));
    }
  };
  for (const keyId of names.toSorted((a, b) => rank(a) - rank(b))) {
    if (left < 1) {
      counts.untried += 1;
      continue;
    }
    const bytes = await loadUnlessGone(backend, keyId).catch((error: unknown) => {
      if (isOfOneFile(error)) {
        unread ??= error;
        return undefined;
      }
      undefinedIfDamaged(error);
      return 'none' as const;
    });
    if (bytes === undefined) continue;
    if (bytes === 'none') counts.others += 1;
    else if (idOf<KeyId>(bytes) !== keyId) damaged.push({ keyId, bytes });
    else {
      const masterKey = await attempt(bytes);
      if (masterKey !== undefined) return { masterKey, keyId };
    }
  }
  // Damage to what is no secret of it leaves a key that opens all the same.
  for (const { keyId, bytes } of damaged) {
    const masterKey = await attempt(bytes);
    if (masterKey !== undefined) return { masterKey, keyId };
  }
  if (unread !== undefined) throw unread;
  throw damaged.length > 0 ? damagedKeys(damaged.map(({ keyId }) => keyId)) : wrongPassword(names.length, counts);
}

/** Whether the store failed to give this one file, such as one that another user of the machine made. */
export function isOfOneFile(error: unknown): error is AppError {
  return isAppError(error, 'store/unavailable') && error.detail.file !== undefined;
}

/** Undefined for what is no key file that any program makes. */
async function attempted<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    return undefinedIfDamaged(error);
  }
}

/** Somebody may remove a key while the others are tried. */
async function loadUnlessGone(backend: Backend, keyId: KeyId): Promise<Buffer | undefined> {
  return backend.load('key', keyId).catch((error: unknown) => {
    if (!isAppError(error, 'store/not-found')) throw error;
    return undefined;
  });
}

function undefinedIfDamaged(error: unknown): undefined {
  if (!isAppError(error, 'repository/damaged')) throw error;
}

function damagedKeys(keyIds: readonly KeyId[]): AppError {
  const files = keyIds.map((id) => `keys/${id}`);
  return new AppError(
    'repository/damaged',
    `No key of the repository opens with this password, and ${files.join(' and ')} ${keyIds.length === 1 ? 'is' : 'are'} not what the name says, so damaged. Bring ${keyIds.length === 1 ? 'it' : 'them'} back from a copy of the store, or let nightkeep repair keys write Nightkeep's own again with the recovery key.`,
    { detail: { keyIds, files } },
  );
}

/** How many key files there were of each kind. */
interface Counts {
  /** Those that the password does not open, */
  readonly whole: number;
  /** that no program makes, */
  readonly others: number;
  /** and that were left, since all together would have taken too long. */
  readonly untried: number;
}

function wrongPassword(count: number, { whole, others, untried }: Counts): AppError {
  const told = [
    ...(count === 0 ? ['it has no key file at all'] : []),
    ...(whole > 0
      ? [
          `its ${countWords(whole, 'key file is intact, but for another password', 'key files are intact, but for other passwords')}`,
        ]
      : []),
    ...(others > 0
      ? [
          countWords(
            others,
            'key file is not one that any program makes',
            'key files are not ones that any program makes',
          ),
        ]
      : []),
    ...(untried > 0
      ? [
          countWords(
            untried,
            'key file was not tried, since that would take too long',
            'key files were not tried, since that would take too long',
          ),
        ]
      : []),
  ];
  return new AppError(
    'repository/wrong-password',
    `No key of the repository opens with this password: ${told.join(', and ') || 'its key files are gone'}. If the key file was removed or its password changed with \`restic key\`, bring it back from a copy of the store, or let nightkeep repair keys write Nightkeep's own again with the recovery key.`,
  );
}
