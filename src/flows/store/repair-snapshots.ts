import { saveReplaced } from '../../database/repositories/retention.ts';
import type { Resources } from '../../resources.ts';
import { type RepairedSnapshot, repairSnapshots } from '../../store/repairer/repair-snapshots.ts';
import { lockRepository } from '../../store/repository/lock.ts';
import { openPersonRepository } from '../nights/open-person-repository.ts';
import { refuseIfMoved } from './refuse-if-moved.ts';

export interface RepairSnapshotsRequest {
  readonly userId: string;
  /** Who repairs them, for the audit. */
  readonly by: string;
  readonly dryRun: boolean;
  /** Remove the snapshots that are not whole, too. */
  readonly forget: boolean;
  /** Stops it in good order. */
  readonly signal?: AbortSignal;
}

/**
 * Writes snapshots without what is lost beside those of a person that are not whole, or in their place. Throws `repository/locked`, and
 * `store/may-not-delete` where they are to take their place and the key of the store may not delete; once the signal is aborted, its
 * reason.
 */
export async function repairPersonSnapshots(
  resources: Pick<Resources, 'clock' | 'database' | 'keyring' | 'lockOwner' | 'store'>,
  { userId, by, dryRun, forget, signal }: RepairSnapshotsRequest,
): Promise<RepairedSnapshot[]> {
  const { clock, database, lockOwner } = resources;
  const { repository, store } = await openPersonRepository(resources, userId);
  await using lock = await lockRepository(repository, { clock, ...lockOwner, exclusive: forget && !dryRun, signal });
  await refuseIfMoved(resources, { userId, store });
  await repository.loadIndex();
  const repaired: RepairedSnapshot[] = [];
  try {
    for await (const one of repairSnapshots(repository, { clock, dryRun, forget, signal: lock.signal }))
      repaired.push(one);
  } finally {
    if (!dryRun && repaired.length > 0) {
      const replaced = forget ? repaired.map(({ id, repaired: to }) => ({ from: id, to })) : [];
      await saveReplaced(database, { userId, replaced, at: clock.now(), by });
    }
  }
  return repaired;
}
