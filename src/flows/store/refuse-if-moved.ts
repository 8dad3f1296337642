import { findStoreOfRepository } from '../../database/repositories.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

/** Under its lock a repository is where its row says. Throws `repository/locked` where it was moved between its opening and its lock. */
export async function refuseIfMoved(
  { database }: Pick<Resources, 'database'>,
  { userId, store }: { userId: string; store: string | null },
): Promise<void> {
  const row = await findStoreOfRepository(database, userId);
  if (row === null || row.store === store) return;
  throw new AppError('repository/locked', 'The repository was moved to another store just now. Try again.', {
    retry: { afterMs: 1000 },
  });
}
