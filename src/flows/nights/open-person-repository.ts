import { findRepository, type PersonRepositoryRow } from '../../database/repositories/repositories.ts';
import { placeOf } from '../../domain/marks.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { type KeyId, parseId } from '../../store/format/ids.ts';
import { type OpenOptions, openRepository, type Repository } from '../../store/repository/repository.ts';
import { openPassword } from '../../vault/row-seals.ts';

export interface PersonRepository {
  id: string;
  location: string;
  /** As marks name it. */
  place: string;
  repository: Repository;
  /** The store that it was moved to; null for that of the settings. */
  store: string | null;
  /** The key file that the recovery key opens; null before there is one. */
  recoveryKeyFile: KeyId | null;
  username: string;
}

type Needs = Pick<Resources, 'database' | 'keyring' | 'store'>;

/** Opens the repository of a person; throws `repository/not-found` before their first run. */
export async function openPersonRepository(resources: Needs, userId: string): Promise<PersonRepository> {
  const row = await findRepository(resources.database, userId);
  if (row === null) throw noRepositoryYet();
  return openPersonRow(resources, row);
}

/** The same with the row at hand. */
export async function openPersonRow(
  resources: Omit<Needs, 'database'>,
  row: PersonRepositoryRow,
  options: Pick<OpenOptions, 'without'> = {},
): Promise<PersonRepository> {
  const repository = await openRepositoryOf(resources, row, options);
  const { location } = repository.backend;
  const username = row.user.username ?? row.user.subject;
  const recoveryKeyFile = row.recoveryKeyFile === null ? null : parseId<KeyId>(row.recoveryKeyFile);
  return { id: row.id, place: placeOf(row), location, repository, store: row.store, recoveryKeyFile, username };
}

/** Opens the repository of this row. Throws `seal/broken` where the row is not as Nightkeep left it. */
export async function openRepositoryOf(
  { keyring, store }: Pick<Resources, 'keyring' | 'store'>,
  row: PersonRepositoryRow,
  options: Pick<OpenOptions, 'cachedTreeBytes' | 'without'> = {},
): Promise<Repository> {
  const { location, store: at, recoveryKeyFile } = row;
  const password = openPassword(keyring, row);
  const otherKey = recoveryKeyFile === null ? undefined : parseId<KeyId>(recoveryKeyFile);
  return openRepository(store(location, at), password, { ...options, otherKey });
}

/** The error for a person who has no repository yet. */
export function noRepositoryYet(): AppError {
  return new AppError(
    'repository/not-found',
    'There is no repository: nothing was backed up yet, or everything was erased or is being erased. The next backup creates one.',
  );
}
