import { randomBytes, randomUUID } from 'node:crypto';
import { listKnownPlaces, saveAdopted } from '../../database/adoptions.ts';
import { AppError, isAppError } from '../../errors.ts';
import { openRepository, type Repository } from '../../store/repository/repository.ts';
import { purposes } from '../../vault/purposes.ts';
import { seal } from '../../vault/seal.ts';
import { serviceName } from '../keys/recovery-key.ts';
import type { Adoption, AdoptionNeeds } from './adopt-repositories.ts';
import { findRepositories } from './find-repositories.ts';

export interface ByKey {
  /** Who signed in here, and shows with the recovery key that the repository is theirs. */
  readonly owner: {
    readonly userId: string;
    readonly issuer: string;
    readonly subject: string;
    readonly username: string | null;
  };
  readonly recoveryKey: string;
  /** Its folder; where none is named, each of which no card can be read is tried. */
  readonly folder?: string | undefined;
  readonly at: string | null;
  readonly by: string;
}

/**
 * Gives a repository to the person whose recovery key opens it, where its card cannot be read: the keyring is lost. A new password of the
 * service takes the place of the old one. Throws `request/forbidden` where a card says that it is somebody else's,
 * `repository/wrong-password` where the key opens none, and `request/invalid` where the person has a repository here.
 */
export async function adoptByRecoveryKey(resources: AdoptionNeeds, input: ByKey): Promise<Adoption> {
  const { clock, database, keyring, scrypt } = resources;
  const { owner, by, at } = input;
  const { location, repository } = await openByKey(resources, input);
  const [id, password] = [randomUUID(), randomBytes(32).toString('base64url')];
  const key = await repository.addKey(password, { clock, username: serviceName, scrypt: scrypt.forRandomPasswords });
  const { sealed: sealedPassword, keyId } = seal(keyring, purposes.repositoryPassword(id), password);
  const now = clock.now();
  const kept = { recoveryKeyFile: repository.keyId, recoveryKeptAt: now };
  const row = {
    id,
    location,
    store: at,
    sealedPassword,
    keyId,
    ...kept,
    eraseAt: null,
    createdAt: now,
    formerPlan: null,
  };
  if (!(await saveAdopted(database, { row, owner, at: now, by }))) {
    await repository.removeKey(key);
    throw new AppError('request/invalid', 'This person has another repository here already, which stays theirs.');
  }
  for await (const other of repository.listKeys())
    if (other.username === serviceName && other.id !== key && other.id !== repository.keyId)
      await repository.removeKey(other.id);
  const snapshots = await Array.fromAsync(repository.listSnapshots(() => undefined));
  return { location, owner, state: 'adopted', snapshots: snapshots.length };
}

async function openByKey(
  resources: AdoptionNeeds,
  { owner, recoveryKey, folder, at }: ByKey,
): Promise<{ location: string; repository: Repository }> {
  if (folder !== undefined && (await listKnownPlaces(resources.database)).has(folder))
    throw new AppError('request/invalid', `The repository ${folder} is somebody's here already.`);
  const found = await findRepositories(resources, at);
  const wanted = found.filter(
    (one) => !one.isKnown && (folder === undefined ? one.card === undefined : one.location === folder),
  );
  for (const { location, card } of wanted) {
    if (card !== undefined && (card.owner.issuer !== owner.issuer || card.owner.subject !== owner.subject))
      throw new AppError('request/forbidden', `The card of ${location} says that it is somebody else's.`);
    try {
      return { location, repository: await openRepository(resources.store(location, at), recoveryKey) };
    } catch (error) {
      if (!isAppError(error, 'repository/wrong-password')) throw error;
    }
  }
  throw new AppError(
    'repository/wrong-password',
    wanted.length === 0
      ? 'The store has no such repository. See: nightkeep adopt --dry-run'
      : 'The recovery key opens none of them. Check that all six groups are there, and that the store is the right one.',
  );
}
