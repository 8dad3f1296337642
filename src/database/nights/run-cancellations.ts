import type { Database, Transaction } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/**
 * Ends every run of a grant that has not ended, and answers how many. One that is being worked on keeps its lease until
 * its worker has let go of it (`releaseRun`), or until that runs out.
 */
export async function cancelRuns(
  database: Transaction,
  { grantId, ...why }: { grantId: string } & Cancelling,
): Promise<number> {
  return cancel(database, Prisma.sql`grant_id = ${grantId}::uuid`, why);
}

/** Ends one run of a person that has not ended, in the same way; false where there is none to end. */
export async function cancelRun(
  database: Database,
  { userId, runId, ...why }: { userId: string; runId: string } & Cancelling,
): Promise<boolean> {
  return (await cancel(database, Prisma.sql`runs.id = ${runId}::uuid AND user_id = ${userId}::uuid`, why)) === 1;
}

interface Cancelling {
  readonly at: Date;
  readonly by: string;
  readonly reason: string;
}

async function cancel(
  database: Transaction | Database,
  which: Prisma.Sql,
  { at, by, reason }: Cancelling,
): Promise<number> {
  return database.$executeRaw`
    WITH seen AS (
      SELECT runs.id, runs.state FROM runs JOIN plans ON plans.id = plan_id
      WHERE ${which} AND runs.state IN ('queued', 'running') FOR UPDATE OF runs
    ), cancelled AS (
      UPDATE runs SET state = 'cancelled', finished_at = ${at} FROM seen WHERE runs.id = seen.id RETURNING runs.id, seen.state
    ), forgotten AS (
      DELETE FROM run_progress USING seen WHERE run_id = seen.id
    )
    INSERT INTO events (subject_kind, subject_id, "from", "to", reason, at, by)
    SELECT 'run', id, state, 'cancelled', ${reason}, ${at}, ${by} FROM cancelled`;
}

/** Ends every run of a night that waits, also those to be tried again: they come again next night. Answers how many. */
export async function skipWaitingNights(database: Transaction, { at, by }: { at: Date; by: string }): Promise<number> {
  return database.$executeRaw`
    WITH skipped AS (
      UPDATE runs SET state = 'skipped', finished_at = ${at}, message = 'An operator ended the night before its turn came.'
      WHERE state = 'queued' AND slot = 'night' RETURNING id
    )
    INSERT INTO events (subject_kind, subject_id, "from", "to", reason, at, by)
    SELECT 'run', id, 'queued', 'skipped', 'night ended', ${at}, ${by} FROM skipped`;
}
