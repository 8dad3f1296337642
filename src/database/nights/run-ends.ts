import { escapedName } from '../../file-name.ts';
import { type Database, repeated } from '../client.ts';
import type { ClaimedRun } from './run-leases.ts';
import { heldUp, stintMs } from './stints.ts';

/** What a run came to. */
export interface RunEnd {
  state: 'succeeded' | 'partial' | 'failed' | 'cancelled';
  snapshotId?: string;
  counts?: Record<string, number>;
  problems?: readonly { path: string; code: string; message: string; kept: boolean; since?: string }[];
  problemCount?: number;
  /** Folders, calendars, address books and mailboxes that are gone as a whole, with what was in them and is nowhere else. */
  goneFolders?: readonly { path: string; entries: number }[];
  /** So much is gone or changed, or a root is, that the snapshot before is held until somebody has looked. */
  alarm?: 'loss' | 'change' | 'root';
  heldSnapshotId?: string;
  errorCode?: string;
  message?: string;
}

/**
 * Ends a run, guarded by its fence, all in one statement; false when the lease was lost meanwhile. What was wrong with an earlier attempt
 * goes. A snapshot takes the place of the checkpoint, and may have mended known damage: then a verification is due now. For `heldUpMs`
 * of the time since it was claimed, the worker's machine had no processor for it.
 */
export async function finishRun(
  database: Database,
  { run, end, heldUpMs = 0, holder, at }: { run: ClaimedRun; end: RunEnd; heldUpMs?: number; holder: string; at: Date },
): Promise<boolean> {
  const { state, snapshotId = null, counts, problems, problemCount = null, alarm = null, heldSnapshotId = null } = end;
  const { errorCode = null, goneFolders, message } = end;
  const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
  const ended = await repeated(
    () => database.$executeRaw`
    WITH ended AS (
      UPDATE runs SET state = ${state}::run_state, finished_at = ${at}, lease_holder = NULL, lease_until = NULL,
        worked_ms = worked_ms + ${stintMs(at, heldUpMs)}, held_up_ms = held_up_ms + ${heldUp(at, heldUpMs)}, error_code = ${errorCode}, message = ${message === undefined ? null : escapedName(message)},
        snapshot_id = coalesce(${snapshotId}, snapshot_id), counts = coalesce(${json(counts)}::jsonb, counts),
        problems = coalesce(${json(problems?.map(storable))}::jsonb, problems), problem_count = coalesce(${problemCount}::int, problem_count),
        gone_folders = coalesce(${json(goneFolders)}::jsonb, gone_folders),
        alarm = coalesce(${alarm}, alarm), held_snapshot_id = coalesce(${heldSnapshotId}, held_snapshot_id)
      WHERE id = ${run.id}::uuid AND fence = ${run.fence} AND state = 'running' RETURNING id
    ), completed AS (
      UPDATE repositories SET checkpoint = NULL
      WHERE user_id = ${run.userId}::uuid AND checkpoint IS NOT NULL AND ${snapshotId !== null} AND EXISTS (SELECT FROM ended)
    ), mended AS (
      UPDATE verifications SET next_at = ${at}
      WHERE user_id = ${run.userId}::uuid AND damage_state IS NOT NULL AND next_at > ${at} AND ${snapshotId !== null} AND EXISTS (SELECT FROM ended)
    ), forgotten AS (
      DELETE FROM run_progress USING ended WHERE run_id = ended.id
    )
    INSERT INTO events (subject_kind, subject_id, "from", "to", at, by)
    SELECT 'run', id, 'running', ${state}, ${at}, ${`worker:${holder}`} FROM ended`,
  );
  return ended === 1;
}

/** What a server named may hold what PostgreSQL does not take. */
function storable<P extends { path: string; message: string }>(problem: P): P {
  return { ...problem, path: escapedName(problem.path), message: escapedName(problem.message) };
}
