import { savePruned } from '../../database/retention.ts';
import { type PruneReport, prune } from '../../store/pruner/prune.ts';
import { lockRepository } from '../../store/repository/lock.ts';
import { openPersonRepository } from '../nights/open-person-repository.ts';
import type { RetentionNeeds } from './forget-snapshots.ts';

/**
 * Removes what no snapshot of the person needs, while nobody else uses the repository; with `dryRun` only says what would go.
 * Throws `repository/locked`, and `repository/damaged`, having removed nothing, where anything that is needed is missing.
 */
export async function pruneRepository(
  resources: RetentionNeeds,
  { userId, by, dryRun = false, signal }: { userId: string; by: string; dryRun?: boolean; signal?: AbortSignal },
): Promise<PruneReport> {
  const { clock, database, lockOwner } = resources;
  const { repository } = await openPersonRepository(resources, userId);
  await using lock = await lockRepository(repository, {
    clock,
    ...lockOwner,
    exclusive: true,
    ...(signal && { signal }),
  });
  const either = signal === undefined ? lock.signal : AbortSignal.any([lock.signal, signal]);
  // What people agreed to says that the data goes, so that nothing of it may stay for the sake of speed.
  const report = await prune(repository, { clock, dryRun, signal: either, unusedShare: 0 });
  if (!dryRun) await savePruned(database, { userId, at: clock.now(), by });
  return report;
}
