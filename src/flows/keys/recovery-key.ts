import { randomInt } from 'node:crypto';
import {
  findRepository,
  inKeysTurn,
  markRecoveryKeyKept,
  markRecoveryKeySeen,
  saveRecoveryKey,
} from '../../database/repositories/repositories.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { KeyId } from '../../store/format/ids.ts';
import { purposes } from '../../vault/purposes.ts';
import { isSameSecret } from '../../vault/same-secret.ts';
import { seal, unseal } from '../../vault/seal.ts';
import { openPersonRepository, type PersonRepository } from '../nights/open-person-repository.ts';
import { ownHost, removeStrayKeys } from './foreign-keys.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'scrypt' | 'store'>;

/** The recovery key and the repository that it opens. */
export interface RevealedKey {
  recoveryKey: string;
  /** Where the repository is, as the server sees it, and what stock restic has to be told to reach it, where it is no folder. */
  location: string;
  resticOptions?: readonly string[];
  /** The name of its folder. */
  folder: string;
}

/**
 * Returns the recovery key, which is kept here until its person has shown that they kept it. Throws `request/forbidden` after
 * that, and `repository/not-found` before the first run.
 */
export async function revealRecoveryKey(resources: Needs, userId: string): Promise<RevealedKey> {
  const { id, recoveryKey, folder, store: at } = await openHeldKey(resources, userId);
  if (!(await markRecoveryKeySeen(resources.database, { id, at: resources.clock.now() }))) throw notHere();
  const { location, resticOptions } = resources.store(folder, at);
  return { recoveryKey, location, ...(resticOptions && { resticOptions }), folder };
}

/** Which groups of the key are asked for as a proof, counted from nought. */
const proven = [2, 4] as const;

/**
 * Whether these are the third and the fifth group of the recovery key: the key is deleted here then, since its person has it.
 * Throws as `revealRecoveryKey` does.
 */
export async function proveRecoveryKey(
  resources: Needs,
  { userId, groups }: { userId: string; groups: readonly string[] },
): Promise<boolean> {
  const { id, recoveryKey, recoveryKeyFile } = await openHeldKey(resources, userId);
  const wanted = proven.map((index) => recoveryKey.split('-')[index]).join('-');
  const typed = groups.map((group) => group.trim().toLowerCase()).join('-');
  if (!isSameSecret(wanted, typed)) return false;
  return markRecoveryKeyKept(resources.database, { id, recoveryKeyFile, at: resources.clock.now() });
}

async function openHeldKey({ database, keyring }: Pick<Needs, 'database' | 'keyring'>, userId: string) {
  const row = await findRepository(database, userId);
  if (row === null)
    throw new AppError(
      'repository/not-found',
      'There is no repository: nothing was backed up yet, or everything was erased or is being erased. The next backup creates one, and its recovery key.',
    );
  const { id, location: folder, store, recoveryKeyFile, sealedRecoveryKey } = row;
  if (sealedRecoveryKey === null) throw notHere();
  const recoveryKey = Buffer.from(unseal(keyring, purposes.recoveryKey(id), sealedRecoveryKey)).toString();
  return { id, folder, store, recoveryKey, recoveryKeyFile };
}

function notHere(): AppError {
  return new AppError(
    'request/forbidden',
    'The recovery key is no longer stored here: you have it. You can make a new one; the old one then no longer works.',
  );
}

/**
 * Makes a new recovery key, which can then be revealed, and removes the old one, and any that interrupted calls left behind. Calls made at
 * the same time run one after the other, so that the key shown last is the only one that opens the repository. Does nothing where the
 * recovery key is no longer the one in the file `former`. Where the store does not let the old one be removed, the new one still holds, and
 * `findOtherKeys` reports the old one.
 */
export async function reissueRecoveryKey(
  resources: Needs & Pick<Resources, 'log'>,
  userId: string,
  former?: string | null,
): Promise<void> {
  await inKeysTurn(resources.database, userId, async () => {
    const opened = await openPersonRepository(resources, userId);
    if (former !== undefined && former !== opened.recoveryKeyFile) return;
    const recoveryKeyFile = await issueRecoveryKey(resources, opened, {
      by: `user:${userId}`,
      at: resources.clock.now(),
    });
    try {
      if (opened.recoveryKeyFile !== null) await opened.repository.removeKey(opened.recoveryKeyFile);
      await removeStrayKeys({ ...opened, recoveryKeyFile });
    } catch (error) {
      if (!isAppError(error)) throw error;
      resources.log.warn('recovery.old-key-stays', { userId, error });
    }
  });
}

/**
 * Makes a recovery key for the repository, sealed until it was kept, and answers its key file; one that takes the place of another says
 * who asked for it.
 */
export async function issueRecoveryKey(
  resources: Pick<Resources, 'clock' | 'database' | 'keyring' | 'scrypt'>,
  { id, repository, store, username }: PersonRepository,
  reissued?: { by: string; at: Date },
): Promise<KeyId> {
  const recoveryKey = newRecoveryKey();
  const recoveryKeyFile = await repository.addKey(recoveryKey, {
    clock: resources.clock,
    username,
    hostname: ownHost,
    scrypt: resources.scrypt.forPeople,
  });
  const { sealed } = seal(resources.keyring, purposes.recoveryKey(id), recoveryKey);
  if (await saveRecoveryKey(resources.database, { id, store, recoveryKeyFile, sealedRecoveryKey: sealed, reissued }))
    return recoveryKeyFile;
  throw new AppError('repository/locked', 'The repository has just been moved to another store. Try again.');
}

/** The user name that Nightkeep's own key files carry. */
export const serviceName = 'nightkeep';

const letters = 'abcdefghjkmnpqrstuvwxyz23456789';

/** Whether the text is spelled as recovery keys are. */
export function isRecoveryKey(text: string): boolean {
  return new RegExp(`^([${letters}]{5}-){5}[${letters}]{5}$`).test(text);
}

/** A recovery key as somebody typed it from paper: capitals, and whatever stands between its groups, are nothing to it. */
export function asRecoveryKey(typed: string): string {
  const key = (
    typed
      .toLowerCase()
      .match(/[a-z0-9]/g)
      ?.join('')
      .match(/.{1,5}/g) ?? []
  ).join('-');
  return isRecoveryKey(key) ? key : typed.trim();
}

/** Six groups of five letters and digits that are hard to confuse: nearly 150 bits, easy to type from paper. */
function newRecoveryKey(): string {
  const group = () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  return Array.from({ length: 6 }, group).join('-');
}
