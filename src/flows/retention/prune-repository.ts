import { countWords } from '../../count-words.ts';
import { listSnapshotsOnRecord, savePruned } from '../../database/repositories/retention.ts';
import { findVerification } from '../../database/repositories/verifications.ts';
import { AppError } from '../../errors.ts';
import type { SnapshotId } from '../../store/format/ids.ts';
import { type PruneReport, prune } from '../../store/pruner/prune.ts';
import { lockRepository } from '../../store/repository/lock.ts';
import { openPersonRepository } from '../nights/open-person-repository.ts';
import { refuseIfMoved } from '../store/refuse-if-moved.ts';
import { findRemoved } from './find-removed.ts';
import type { RetentionNeeds } from './forget-snapshots.ts';
import { refuseOldListing } from './refuse-old-listing.ts';

/**
 * Removes what no snapshot of the person needs, while nobody else uses the repository; with `dryRun` only says what would go.
 * Throws `repository/locked`, `store/may-not-delete` where this is the job of another key, and, having removed nothing,
 * `repository/damaged` where anything that is needed is missing, or somebody else removed snapshots that the person's rule keeps, until the person
 * confirmed that they have looked: their files may come back. `store/unavailable` where a snapshot is not listed.
 */
export async function pruneRepository(
  resources: RetentionNeeds,
  { userId, by, dryRun = false, signal }: { userId: string; by: string; dryRun?: boolean; signal?: AbortSignal },
): Promise<PruneReport> {
  const { clock, database, lockOwner } = resources;
  const { repository, store } = await openPersonRepository(resources, userId);
  await using lock = await lockRepository(repository, { clock, ...lockOwner, exclusive: true, signal });
  await refuseIfMoved(resources, { userId, store });
  const listed = await Array.fromAsync(repository.listSnapshots());
  const onRecord = await listSnapshotsOnRecord(database, userId);
  await refuseOldListing(repository.backend, { listed, onRecord });
  const removed = await findRemoved(resources, { userId, repository, saved: listed });
  if (removed.length > 0) throw goneMeanwhile(removed);
  const { damagedPacks = [] } = (await findVerification(database, userId)) ?? {};
  const damaged = new Set(damagedPacks);
  // What people agreed to says that the data goes, so that nothing of it may stay for the sake of speed.
  const report = await prune(repository, { clock, dryRun, signal: lock.signal, unusedShare: 0, damaged });
  if (!dryRun) await savePruned(database, { userId, at: clock.now(), by });
  return report;
}

function goneMeanwhile(ids: readonly SnapshotId[]): AppError {
  const [first = ''] = ids;
  const which =
    ids.length === 1
      ? `The file snapshots/${first} is`
      : `${countWords(ids.length, 'snapshot')}, such as snapshots/${first}, are`;
  const message = `${which} gone from the store, but retention did not remove ${ids.length === 1 ? 'it' : 'them'}, so that no data was removed. Bring the files back from a copy of the store; if they were removed on purpose, data goes again once their person has confirmed on the page “Can it be restored?” that they have looked.`;
  return new AppError('repository/damaged', message, { detail: { snapshotIds: ids } });
}
