import { randomInt } from 'node:crypto';
import { findRepository, markRecoveryKeySeen, saveRecoveryKey } from '../../database/repositories.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { type KeyId, parseId } from '../../store/format/ids.ts';
import { purposes } from '../../vault/purposes.ts';
import { seal, unseal } from '../../vault/seal.ts';
import { openPersonRepository, type PersonRepository } from '../nights/open-person-repository.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'scrypt' | 'store'>;

/** Returns the recovery key, once; later calls throw `request/forbidden` and suggest a new one. */
export async function revealRecoveryKey(
  resources: Needs,
  userId: string,
): Promise<{ recoveryKey: string; location: string }> {
  const row = await findRepository(resources.database, userId);
  if (row === null)
    throw new AppError('repository/not-found', 'Nothing has been backed up yet. The first run makes the recovery key.');
  const sealed = row.sealedRecoveryKey;
  if (sealed === null || !(await markRecoveryKeySeen(resources.database, { id: row.id, at: resources.clock.now() }))) {
    throw new AppError(
      'request/forbidden',
      'The recovery key was shown before and is not kept. You can get a new one; the old one then no longer works.',
    );
  }
  const recoveryKey = Buffer.from(unseal(resources.keyring, purposes.recoveryKey(row.id), sealed)).toString();
  return { recoveryKey, location: resources.store(row.location).location };
}

/** Makes a new recovery key, to be revealed once, and removes the old one. */
export async function reissueRecoveryKey(resources: Needs, userId: string): Promise<void> {
  const row = await findRepository(resources.database, userId);
  const opened = await openPersonRepository(resources, userId);
  await issueRecoveryKey(resources, opened, { by: `user:${userId}`, at: resources.clock.now() });
  if (row?.recoveryKeyFile != null) await opened.repository.removeKey(parseId<KeyId>(row.recoveryKeyFile));
}

/** Makes a recovery key for the repository, sealed until it is revealed; one that takes the place of another says who asked for it. */
export async function issueRecoveryKey(
  resources: Pick<Resources, 'clock' | 'database' | 'keyring' | 'scrypt'>,
  { id, repository, username }: PersonRepository,
  reissued?: { by: string; at: Date },
): Promise<void> {
  const recoveryKey = newRecoveryKey();
  const recoveryKeyFile = await repository.addKey(recoveryKey, {
    clock: resources.clock,
    username,
    scrypt: resources.scrypt.forPeople,
  });
  const { sealed } = seal(resources.keyring, purposes.recoveryKey(id), recoveryKey);
  await saveRecoveryKey(resources.database, { id, recoveryKeyFile, sealedRecoveryKey: sealed, reissued });
}

/** Six groups of five letters and digits that are hard to confuse: nearly 150 bits, easy to type from paper. */
function newRecoveryKey(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  return Array.from({ length: 6 }, group).join('-');
}
