import { AppError } from '../errors.ts';
import { escapedName } from '../file-name.ts';
import { type Database, inTransaction, type Transaction } from './client.ts';
import { saveEvent, saveEvents } from './events.ts';
import type { Prisma, RunState } from './generated/client.ts';
import { readPerson } from './users.ts';

/** A run that this process may work on until `until`, and no longer. */
export interface ClaimedRun {
  id: string;
  planId: string;
  userId: string;
  fence: number;
  attempt: number;
  maxAttempts: number;
}

export const runLeaseMs = 60_000;

/** The run with what its work needs: the plan, its sources, and the claims that source URLs name. */
export async function getRunWithPlan(database: Database, id: string) {
  const run = await database.run.findUnique({ where: { id }, include: { plan: { include: { user: true } } } });
  if (run === null) throw new AppError('request/not-found', 'There is no such run.');
  const { userId, grantId, zone, sources, user } = run.plan;
  return {
    id,
    night: run.night,
    plan: { userId, grantId, zone, sources: readSources(sources), person: readPerson(user) },
  };
}

function readSources(value: Prisma.JsonValue): { name: string; url: string }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return [];
    const { name, url } = item;
    return typeof name === 'string' && typeof url === 'string' ? [{ name, url }] : [];
  });
}

/**
 * The last run that wrote one of these snapshots of a person, with what it could not back up: the problems that it kept by
 * name, and how many there were. Null where none is on record.
 */
export async function findLastRunOf(
  database: Database,
  { userId, snapshotIds }: { userId: string; snapshotIds: string[] },
): Promise<{
  snapshotId: string | null;
  problems: { path: string; since?: string }[];
  problemCount: number;
} | null> {
  const run = await database.run.findFirst({
    where: { plan: { userId }, snapshotId: { in: snapshotIds } },
    orderBy: { finishedAt: 'desc' },
    select: { snapshotId: true, problems: true, problemCount: true },
  });
  return run && { ...run, problems: readProblems(run.problems) };
}

function readProblems(value: Prisma.JsonValue): { path: string; since?: string }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return [];
    const { path, since } = item;
    return typeof path === 'string' ? [{ path, ...(typeof since === 'string' && { since }) }] : [];
  });
}

export interface RunClaim {
  runId: string;
  holder: string;
  at: Date;
}

/**
 * Takes the lease of a run that is queued and due, or whose lease lapsed; null when it is not to be had, or when another
 * run of the same plan is being worked on. The fence rises with each claim.
 */
export async function claimRun(database: Database, { runId, holder, at }: RunClaim): Promise<ClaimedRun | null> {
  return inTransaction(database, async (transaction) => {
    // Claims of one plan come one after the other, else two of its runs could each miss the other's.
    await transaction.$queryRaw`
      SELECT 1 FROM plans WHERE id = (SELECT plan_id FROM runs WHERE id = ${runId}::uuid) FOR UPDATE`;
    const rows = await transaction.$queryRaw<(ClaimedRun & { from: RunState })[]>`
      WITH seen AS (SELECT id, state FROM runs WHERE id = ${runId}::uuid FOR UPDATE)
      UPDATE runs SET state = 'running', attempt = attempt + 1, fence = fence + 1, lease_holder = ${holder},
        lease_until = ${until(at)}, started_at = coalesce(started_at, ${at})
      FROM seen
      WHERE runs.id = seen.id AND attempt < max_attempts AND due_at <= ${at}
        AND (runs.state = 'queued' OR (runs.state = 'running' AND lease_until < ${at}))
        AND NOT EXISTS (SELECT 1 FROM runs other WHERE other.plan_id = runs.plan_id AND other.id <> runs.id
          AND other.state = 'running' AND other.lease_until >= ${at})
      RETURNING runs.id, runs.plan_id AS "planId", (SELECT user_id FROM plans WHERE id = runs.plan_id) AS "userId", fence, attempt, max_attempts AS "maxAttempts", seen.state AS "from"`;
    const [claimed] = rows;
    if (claimed === undefined) return null;
    await saveEvent(transaction, 'run', runId, { from: claimed.from, to: 'running', at, by: `worker:${holder}` });
    return claimed;
  });
}

/** Keeps the lease for another minute; false when it is lost, or the run was cancelled. */
export async function renewRun(
  database: Database,
  { run, at, counts }: { run: ClaimedRun; at: Date; counts?: Record<string, number> | undefined },
): Promise<boolean> {
  const { count } = await database.run.updateMany({
    where: { id: run.id, fence: run.fence, state: 'running' },
    data: { leaseUntil: until(at), ...(counts === undefined ? {} : { counts }) },
  });
  return count === 1;
}

export interface RunEnd {
  state: 'succeeded' | 'partial' | 'failed' | 'cancelled';
  snapshotId?: string;
  counts?: Record<string, number>;
  problems?: readonly { path: string; code: string; message: string; kept: boolean; since?: string }[];
  problemCount?: number;
  /** So much is gone or changed, or a root is, that the snapshot before is held until somebody has looked. */
  alarm?: 'loss' | 'change' | 'root';
  heldSnapshotId?: string;
  errorCode?: string;
  message?: string;
}

/** Ends a run, guarded by its fence; false when the lease was lost meanwhile. What was wrong with an earlier attempt goes. */
export async function finishRun(
  database: Database,
  { run, end, holder, at }: { run: ClaimedRun; end: RunEnd; holder: string; at: Date },
): Promise<boolean> {
  const { problems, message = null, ...rest } = end;
  return change(
    database,
    { run, to: end.state, holder, at },
    {
      errorCode: null,
      ...rest,
      message: message && escapedName(message),
      ...(problems && { problems: problems.map(storable) }),
      finishedAt: at,
    },
  );
}

/** What a server named may hold what PostgreSQL does not take. */
function storable<P extends { path: string; message: string }>(problem: P): P {
  return { ...problem, path: escapedName(problem.path), message: escapedName(problem.message) };
}

/** Puts a run back to be claimed from `dueAt` on; `spent` says whether the attempt counts. */
export async function returnRun(
  database: Database,
  input: {
    run: ClaimedRun;
    dueAt: Date;
    spent: boolean;
    errorCode?: string;
    message?: string;
    holder: string;
    at: Date;
  },
): Promise<boolean> {
  const { run, dueAt, spent, errorCode = null, message = null, holder, at } = input;
  const attempt = spent ? run.attempt : run.attempt - 1;
  const words = message && escapedName(message);
  return change(database, { run, to: 'queued', holder, at }, { dueAt, attempt, errorCode, message: words });
}

async function change(
  database: Database,
  { run, to, holder, at }: { run: ClaimedRun; to: RunState; holder: string; at: Date },
  data: Prisma.RunUpdateManyMutationInput,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const { count } = await transaction.run.updateMany({
      where: { id: run.id, fence: run.fence, state: 'running' },
      data: { ...data, state: to, leaseHolder: null, leaseUntil: null },
    });
    if (count === 1) await saveEvent(transaction, 'run', run.id, { from: 'running', to, at, by: `worker:${holder}` });
    return count === 1;
  });
}

/** Returns lapsed runs to the queue while attempts are left, fails the others, and answers how many of each. */
export async function returnLapsedRuns(
  database: Database,
  { at, by }: { at: Date; by: string },
): Promise<{ returned: number; failed: number }> {
  return inTransaction(database, async (transaction) => {
    const rows = await transaction.$queryRaw<{ id: string; to: RunState }[]>`
      UPDATE runs SET lease_holder = NULL, lease_until = NULL,
        state = CASE WHEN attempt < max_attempts THEN 'queued' ELSE 'failed' END::run_state,
        finished_at = CASE WHEN attempt < max_attempts THEN NULL ELSE ${at}::timestamptz END,
        message = CASE WHEN attempt < max_attempts THEN message ELSE 'The worker ended in the middle, several times.' END
      WHERE id IN (SELECT id FROM runs WHERE state = 'running' AND lease_until < ${at} FOR UPDATE SKIP LOCKED)
      RETURNING id, state AS "to"`;
    const { queued = [], failed = [] } = Object.groupBy(rows, ({ to }) => to);
    const change = { from: 'running', at, by, reason: 'lease lapsed' };
    await saveEvents(transaction, 'run', idsOf(queued), { ...change, to: 'queued' });
    await saveEvents(transaction, 'run', idsOf(failed), { ...change, to: 'failed' });
    return { returned: queued.length, failed: failed.length };
  });
}

/** The runs that wait for a worker, the longest due first. */
export async function listQueuedRuns(
  database: Database,
  limit: number,
): Promise<{ id: string; fence: number; dueAt: Date }[]> {
  return database.run.findMany({
    where: { state: 'queued' },
    select: { id: true, fence: true, dueAt: true },
    orderBy: { dueAt: 'asc' },
    take: limit,
  });
}

/**
 * Ends every run of a grant that has not ended, and answers how many. One that is being worked on keeps its lease until
 * its worker has let go of it (`releaseRun`), or until that runs out.
 */
export async function cancelRuns(
  database: Transaction,
  { grantId, at, by, reason }: { grantId: string; at: Date; by: string; reason: string },
): Promise<number> {
  return database.$executeRaw`
    WITH seen AS (
      SELECT runs.id, runs.state FROM runs JOIN plans ON plans.id = plan_id
      WHERE grant_id = ${grantId}::uuid AND runs.state IN ('queued', 'running') FOR UPDATE OF runs
    ), cancelled AS (
      UPDATE runs SET state = 'cancelled', finished_at = ${at} FROM seen WHERE runs.id = seen.id RETURNING runs.id, seen.state
    )
    INSERT INTO events (subject_kind, subject_id, "from", "to", reason, at, by)
    SELECT 'run', id, state, 'cancelled', ${reason}, ${at}, ${by} FROM cancelled`;
}

/** Of the runs that a worker has in hand, those that are no longer its own: cancelled, or given to another. */
export async function listLostRuns(
  database: Database,
  inHand: readonly Pick<ClaimedRun, 'id' | 'fence'>[],
): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT held.id FROM unnest(${inHand.map(({ id }) => id)}::uuid[], ${inHand.map(({ fence }) => fence)}::int[]) AS held (id, fence)
    WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = held.id AND runs.fence = held.fence AND state = 'running')`;
  return idsOf(rows);
}

/** Gives back the lease of a run that was cancelled, once nobody works on it any more. */
export async function releaseRun(database: Database, { id, fence }: Pick<ClaimedRun, 'id' | 'fence'>): Promise<void> {
  const released = { leaseHolder: null, leaseUntil: null };
  await database.run.updateMany({ where: { id, fence, state: 'cancelled' }, data: released });
}

function idsOf(rows: readonly { id: string }[]): string[] {
  return rows.map(({ id }) => id);
}

function until(at: Date): Date {
  return new Date(at.getTime() + runLeaseMs);
}
