import { findRepository } from '../../database/repositories.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { openRepository, type Repository } from '../../store/repository/repository.ts';
import { purposes } from '../../vault/purposes.ts';
import { unseal } from '../../vault/seal.ts';

export interface PersonRepository {
  id: string;
  location: string;
  repository: Repository;
  username: string;
}

/** Opens the repository of a person; throws `repository/not-found` before their first run. */
export async function openPersonRepository(
  resources: Pick<Resources, 'database' | 'keyring' | 'store'>,
  userId: string,
): Promise<PersonRepository> {
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
