import { findStoreOfRepository } from '../../database/repositories/repositories.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { noRepositoryYet } from '../nights/open-person-repository.ts';

/**
 * Under its lock a repository is where its row says. Throws `repository/locked` where it was moved between its opening and its lock, and
 * `repository/not-found` where erasing it has begun: from then on nobody writes there.
 */
export async function refuseIfMoved(
  { database }: Pick<Resources, 'database'>,
  { userId, store }: { userId: string; store: string | null },
): Promise<void> {
  const row = await findStoreOfRepository(database, userId);
  if (row === null) throw noRepositoryYet();
  if (row.store === store) return;
  throw new AppError('repository/locked', 'The repository has just been moved to another store. Try again.', {
    retry: { afterMs: 1000 },
  });
}
