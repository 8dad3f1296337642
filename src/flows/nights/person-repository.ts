import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { findRepository, markRecoveryKeySeen, saveRecoveryKey, saveRepository } from '../../database/repositories.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { type KeyId, parseId } from '../../store/format/ids.ts';
import { scryptForPeople, scryptForRandomPasswords } from '../../store/format/key-file.ts';
import {
  initRepository,
  openRepository,
  type Repository,
  repositoryExists,
} from '../../store/repository/repository.ts';
import { purposes } from '../../vault/purposes.ts';
import { seal, unseal } from '../../vault/seal.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'store'>;

export interface PersonRepository {
  id: string;
  location: string;
  repository: Repository;
  username: string;
}

/** Opens the repository of a person; throws `repository/not-found` before their first run. */
export async function openPersonRepository(resources: Needs, userId: string): Promise<PersonRepository> {
  const row = await findRepository(resources.database, userId);
  if (row === null)
    throw new AppError('repository/not-found', 'Nothing has been backed up yet. The first run makes the repository.');
  const password = Buffer.from(
    unseal(resources.keyring, purposes.repositoryPassword(row.id), row.sealedPassword),
  ).toString();
  const backend = resources.store(row.location);
  const repository = await openRepository(backend, password);
  return { id: row.id, location: backend.location, repository, username: row.user.username ?? row.user.subject };
}

/**
 * Opens the repository of a person and makes it first where there is none: row with the sealed password, then the
 * repository, then the recovery key; a crash between two of them is mended by the next call.
 */
export async function ensurePersonRepository(resources: Needs, userId: string): Promise<PersonRepository> {
  const { clock, database, keyring, store } = resources;
  const known = await findRepository(database, userId);
  if (known === null) {
    const id = randomUUID();
    const { sealed, keyId } = seal(keyring, purposes.repositoryPassword(id), randomBytes(32).toString('base64url'));
    await saveRepository(database, { id, userId, location: id, sealedPassword: sealed, keyId, at: clock.now() });
  }
  const row = known ?? (await findRepository(database, userId));
  if (row !== null && !(await repositoryExists(store(row.location)))) {
    if (row.recoveryKeyFile !== null) throw repositoryGone(row.location);
    const password = Buffer.from(unseal(keyring, purposes.repositoryPassword(row.id), row.sealedPassword)).toString();
    await initRepository(store(row.location), {
      password,
      clock,
      username: 'nightkeep',
      scrypt: scryptForRandomPasswords,
    });
  }
  const opened = await openPersonRepository(resources, userId);
  if (row?.recoveryKeyFile == null) await issueRecoveryKey(resources, opened);
  return opened;
}

/** A store that is not mounted must not be taken for one where everything begins anew. */
function repositoryGone(location: string): AppError {
  return new AppError(
    'store/unavailable',
    'The repository is not where it was made. The operator must look whether the store is there, and bring it back.',
    { detail: { location } },
  );
}

/** Shows the recovery key, once; later calls throw `request/forbidden` and point to a new one. */
export async function revealRecoveryKey(
  resources: Needs,
  userId: string,
): Promise<{ recoveryKey: string; location: string }> {
  const row = await findRepository(resources.database, userId);
  if (row === null)
    throw new AppError(
      'repository/not-found',
      'Nothing has been backed up yet. The recovery key comes with the first run.',
    );
  const sealed = row.sealedRecoveryKey;
  if (sealed === null || !(await markRecoveryKeySeen(resources.database, { id: row.id, at: resources.clock.now() }))) {
    throw new AppError(
      'request/forbidden',
      'The recovery key was shown already and is not kept. You can have a new one; the old one then ends.',
    );
  }
  const recoveryKey = Buffer.from(unseal(resources.keyring, purposes.recoveryKey(row.id), sealed)).toString();
  return { recoveryKey, location: resources.store(row.location).location };
}

/** Makes a new recovery key, to be revealed once, and ends the old one. */
export async function reissueRecoveryKey(resources: Needs, userId: string): Promise<void> {
  const row = await findRepository(resources.database, userId);
  const opened = await openPersonRepository(resources, userId);
  await issueRecoveryKey(resources, opened);
  if (row?.recoveryKeyFile != null) await opened.repository.removeKey(parseId<KeyId>(row.recoveryKeyFile));
}

async function issueRecoveryKey(resources: Needs, { id, repository, username }: PersonRepository): Promise<void> {
  const recoveryKey = newRecoveryKey();
  const recoveryKeyFile = await repository.addKey(recoveryKey, {
    clock: resources.clock,
    username,
    scrypt: scryptForPeople,
  });
  const { sealed } = seal(resources.keyring, purposes.recoveryKey(id), recoveryKey);
  await saveRecoveryKey(resources.database, { id, recoveryKeyFile, sealedRecoveryKey: sealed });
}

/** Six groups of five letters and digits that are hard to mistake: 150 bits, easy to type from paper. */
function newRecoveryKey(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const group = () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  return Array.from({ length: 6 }, group).join('-');
}
