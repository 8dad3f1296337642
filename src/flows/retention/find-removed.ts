import {
  findRetention,
  listSnapshotsOnRecord,
  type RetentionFacts,
  type SnapshotOnRecord,
} from '../../database/repositories/retention.ts';
import type { Resources } from '../../resources.ts';
import { parseId, type SnapshotId } from '../../store/format/ids.ts';
import { timestamp } from '../../store/format/timestamp.ts';
import { fileExists } from '../../store/repository/exists.ts';
import type { Finding } from '../../store/repository/finding.ts';
import type { Repository } from '../../store/repository/repository.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';
import { removedAmong, ruleOf } from './judge-snapshots.ts';

interface Looked {
  readonly userId: string;
  readonly repository: Pick<Repository, 'backend'>;
  /** All of the repository that can be read. */
  readonly saved: readonly SavedSnapshot[];
  /** Those that are there and cannot be read. */
  readonly damaged?: readonly string[];
  /** What was read of it just now. */
  readonly known?: { readonly facts: RetentionFacts; readonly onRecord: readonly SnapshotOnRecord[] };
}

/**
 * The snapshots of a person's runs that are missing from the store although the rule that they agreed to keeps them, so that somebody else removed
 * them. One that was rewritten, as stock restic does for tags and repairs, exists under its new name.
 */
export async function findRemoved(
  { clock, database }: Pick<Resources, 'clock' | 'database'>,
  { userId, repository: { backend }, saved, damaged = [], known }: Looked,
): Promise<SnapshotId[]> {
  const facts = known?.facts ?? (await findRetention(database, userId));
  if (facts === null) return [];
  const onRecord = known?.onRecord ?? (await listSnapshotsOnRecord(database, userId));
  const there = new Set<string>([...saved.flatMap(({ id, snapshot }) => [id, snapshot.original ?? id]), ...damaged]);
  const absent: { id: SnapshotId; time: string }[] = [];
  for (const { id, at } of onRecord)
    if (!there.has(id) && !(await fileExists(backend, 'snapshot', id)))
      absent.push({ id: parseId<SnapshotId>(id), time: timestamp(at, facts.zone) });
  return removedAmong(absent, saved, facts, { rule: ruleOf(facts), now: clock.now() });
}

/** For people who read what a check found. */
export function asFindings(removed: readonly SnapshotId[]): Finding[] {
  return removed.map((snapshotId) => ({
    kind: 'snapshot-missing',
    severity: 'error',
    snapshotId,
    message: `The file snapshots/${snapshotId} is gone from the store, but retention did not remove it.`,
  }));
}
