import type { SnapshotOnRecord } from '../../database/repositories/retention.ts';
import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import type { Backend } from '../../store/backend/backend.ts';
import { fileExists } from '../../store/repository/exists.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';

/** How many of the snapshots on record are looked for. */
const newest = 20;

/**
 * Throws `store/unavailable` if the store has a snapshot of one of Nightkeep's runs but does not list it: decisions by such a listing would remove
 * what that snapshot needs. One that somebody else forgot does not exist either, and is no obstacle.
 */
export async function refuseOldListing(
  backend: Backend,
  { listed, onRecord }: { listed: readonly Pick<SavedSnapshot, 'id'>[]; onRecord: readonly SnapshotOnRecord[] },
): Promise<void> {
  const ids = new Set<string>(listed.map(({ id }) => id));
  for (const { id } of onRecord.slice(0, newest)) {
    if (ids.has(id) || !(await fileExists(backend, 'snapshot', id))) continue;
    throw new AppError(
      'store/unavailable',
      `The store does not list the snapshot ${id.slice(0, 8)}, although it has it. Nothing was removed; try again later.`,
      { detail: { snapshotId: id }, retry: { afterMs: minuteMs } },
    );
  }
}
