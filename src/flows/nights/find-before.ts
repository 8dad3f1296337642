import { findNightsBefore } from '../../database/nights/night-facts.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { SnapshotId } from '../../store/format/ids.ts';
import { timestampMs } from '../../store/format/timestamp.ts';
import { fileExists } from '../../store/repository/exists.ts';
import type { Repository } from '../../store/repository/repository.ts';
import type { Snapshots } from '../../store/repository/snapshots.ts';
import { isOfPast, isOwn, ownOf } from './own-snapshots.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database'>;

/**
 * What is known about the nights before, and the snapshot to continue from: the newest one that a run has on record, so that a worker that died
 * right after writing a snapshot hides no great loss from the next run. If none is on record, the newest of Nightkeep's own. `isRemoved` says that
 * the newest one on record is not there, and nobody is known to have let it go.
 */
export async function findBefore(
  resources: Needs,
  userId: string,
  repository: Pick<Repository, 'backend' | keyof Snapshots>,
) {
  const ids = await repository.listSnapshotIds();
  const found = ids.length > mostAskedFor ? undefined : await findOnRecord(resources, { userId, ids }, repository);
  const { run, recorded, last, before } = found ?? (await findAmongAll(resources, userId, repository));
  const { newest, ...known } = before;
  const isRemoved =
    newest !== null && !ids.some((id) => id === newest) && !(await fileExists(repository.backend, 'snapshot', newest));
  const others = { ...known, isRemoved };
  if (last === undefined) return { last, ...others };
  const { problems = [], problemCount = 0 } = run ?? {};
  const { tree, time, summary } = last.snapshot;
  const described = {
    snapshotId: last.id,
    archiving: { parent: tree },
    isOnRecord: recorded !== undefined,
    files: summary?.total_files_processed ?? 0,
    takenAt: new Date(timestampMs(time)),
    problems,
    problemCount,
  };
  return { last: described, ...others };
}

/** With more snapshots than this, only the newest hundred are looked up. */
const mostAskedFor = 1_000;

/**
 * The snapshot that the newest run has on record, read without reading any other. Undefined if it cannot be continued from, or if none is on record
 * although there are snapshots.
 */
async function findOnRecord(
  { clock, config, database }: Needs,
  { userId, ids }: { userId: string; ids: readonly SnapshotId[] },
  repository: Pick<Snapshots, 'loadSnapshot'>,
) {
  const nights = config.fullWalkNights;
  const { last: run, ...before } = await findNightsBefore(database, { userId, snapshotIds: ids, nights });
  const id = ids.find((one) => one === run?.snapshotId);
  if (id === undefined) return ids.length === 0 ? { run, recorded: undefined, last: undefined, before } : undefined;
  try {
    const recorded = { id, snapshot: await repository.loadSnapshot(id) };
    const isUsable = isOwn(recorded) && isOfPast(recorded, clock.now());
    return isUsable ? { run, recorded, last: recorded, before } : undefined;
  } catch (error) {
    if (isAppError(error, 'repository/damaged') || isAppError(error, 'repository/no-such-snapshot')) return undefined;
    throw error;
  }
}

/** The same by reading all snapshots. */
async function findAmongAll(
  { clock, config, database }: Needs,
  userId: string,
  repository: Pick<Snapshots, 'listSnapshots'>,
) {
  const saved = await Array.fromAsync(repository.listSnapshots(() => undefined));
  const snapshots = ownOf(saved, clock.now()).toReversed();
  const snapshotIds = snapshots.slice(0, 100).map(({ id }) => id);
  const { fullWalkNights: nights } = config;
  const { last: run, ...before } = await findNightsBefore(database, { userId, snapshotIds, nights });
  const recorded = snapshots.find(({ id }) => id === run?.snapshotId);
  return { run, recorded, last: recorded ?? snapshots[0], before };
}
