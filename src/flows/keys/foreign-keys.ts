import { saveAudit } from '../../database/audit.ts';
import { findRepository, inKeysTurn, type PersonRepositoryRow } from '../../database/repositories/repositories.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { type KeyId, parseId } from '../../store/format/ids.ts';
import type { Repository } from '../../store/repository/repository.ts';
import { openPersonRepository } from '../nights/open-person-repository.ts';
import { openPersonHistory } from '../snapshots/open-history.ts';

/** Which key files are of Nightkeep: the one it opened the repository with, and the one of the recovery key. */
interface OwnKeys {
  readonly repository: Repository;
  readonly recoveryKeyFile: string | null;
}

/** A password of the repository that is neither Nightkeep's nor the recovery key, as its key file tells of it. */
export interface ForeignKey {
  readonly id: KeyId;
  /** As the program wrote it that made the key; null where that is no date. */
  readonly createdAt: Date | null;
  /** The name of the user and of the machine, likewise. */
  readonly by: string;
}

type Needs = Pick<Resources, 'clock' | 'database' | 'histories' | 'keyring' | 'log' | 'repositoryKeys' | 'store'>;

/** How Nightkeep calls its machine in the key files that it makes, so that it knows those again that a crash left behind. */
export const ownHost = 'nightkeep';

/** What opens a repository besides Nightkeep's key and the recovery key. */
export interface OtherKeys {
  /** The keys that somebody else added, such as their person with stock restic, oldest first. */
  readonly foreign: readonly ForeignKey[];
  /** How many recovery keys lie there still that another one took the place of. */
  readonly replaced: number;
}

/** Throws as `openPersonHistory` does. */
export async function findOtherKeys(resources: Needs, userId: string): Promise<OtherKeys> {
  const { repository } = await openPersonHistory(resources, userId);
  const { recoveryKeyFile } = (await findRepository(resources.database, userId)) ?? nobodys;
  const own = new Set<string | null>([repository.keyId, recoveryKeyFile]);
  const others = (await Array.fromAsync(repository.listKeys())).filter(({ id }) => !own.has(id));
  const foreign = others
    .filter(({ hostname }) => hostname !== ownHost)
    .map(({ id, created, username, hostname }) => ({
      id,
      createdAt: Number.isNaN(Date.parse(created)) ? null : new Date(created),
      by: [username, hostname].filter((name) => name !== '').join('@'),
    }))
    .toSorted((a, b) => (a.createdAt?.getTime() ?? 0) - (b.createdAt?.getTime() ?? 0));
  return { foreign, replaced: others.length - foreign.length };
}

const nobodys: Pick<PersonRepositoryRow, 'recoveryKeyFile'> = { recoveryKeyFile: null };

/** Removes one of these for its person. Throws `request/not-found` where it is none of them, or gone already. */
export async function removeForeignKey(
  resources: Needs,
  { userId, keyId }: { userId: string; keyId: string },
): Promise<void> {
  const { clock, database } = resources;
  await inKeysTurn(database, userId, async () => {
    const key = (await findOtherKeys(resources, userId)).foreign.find(({ id }) => id === keyId);
    if (key === undefined) throw new AppError('request/not-found', 'There is no such key.');
    const { repository } = await openPersonHistory(resources, userId);
    await repository.removeKey(key.id);
    await saveAudit(database, { at: clock.now(), by: `user:${userId}`, act: 'foreign-key-removed', userId });
  });
}

/** Removes what interrupted renewals of keys left behind, while nobody else changes keys. Keys that others made stay. */
export async function tidyKeys(
  resources: Pick<Resources, 'database' | 'keyring' | 'store'>,
  userId: string,
): Promise<void> {
  await inKeysTurn(resources.database, userId, async () => {
    await removeStrayKeys(await openPersonRepository(resources, userId));
  });
}

/** The same for whoever has the turn already. Where the store lets nobody delete, they stay. */
export async function removeStrayKeys({ repository, recoveryKeyFile }: OwnKeys): Promise<void> {
  // Before there is a recovery key on record, the one in the store may be about to be.
  if (recoveryKeyFile === null) return;
  for await (const { id, hostname } of repository.listKeys()) {
    if (hostname !== ownHost || id === repository.keyId || id === parseId<KeyId>(recoveryKeyFile)) continue;
    await repository.removeKey(id).catch((error: unknown) => {
      if (!isAppError(error, 'store/may-not-delete')) throw error;
    });
  }
}
