import { manyLostWorkers } from '../../domain/run-tries.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/** A run that a worker has the lease of. */
export interface ClaimedRun {
  id: string;
  planId: string;
  userId: string;
  fence: number;
  /** Tries that failed before, and this one. */
  attempt: number;
  /** No further try begins after this. */
  triedUntil: Date;
}

/** How long a worker may go without renewing the lease of a run, in milliseconds. */
export const runLeaseMs = 60_000;

export interface RunClaim {
  runId: string;
  holder: string;
  at: Date;
}

/**
 * Takes the lease of a run that is queued and due, or whose lease lapsed while it may be tried again; null when it is not to
 * be had, or when another run of the same plan is being worked on. The fence rises with each claim; the try of a worker that
 * ended in the middle does not count.
 */
export async function claimRun(database: Database, claim: RunClaim): Promise<ClaimedRun | null> {
  return inTransaction(database, async (transaction) => {
    // Claims of one plan come one after the other, else two of its runs could each miss the other's.
    await transaction.$queryRaw`
      SELECT 1 FROM plans WHERE id = (SELECT plan_id FROM runs WHERE id = ${claim.runId}::uuid) FOR UPDATE`;
    return takeRun(transaction, claim);
  });
}

async function takeRun(transaction: Transaction, { runId, holder, at }: RunClaim): Promise<ClaimedRun | null> {
  const [claimed] = await transaction.$queryRaw<ClaimedRun[]>`
    WITH seen AS (SELECT id, state FROM runs WHERE id = ${runId}::uuid FOR UPDATE), claimed AS (
      UPDATE runs SET ${claimedBy({ holder, at, was: Prisma.raw('seen.state') })}
      FROM seen
      WHERE runs.id = seen.id AND ${canBeClaimed(at)}
      RETURNING runs.id, plan_id, fence, attempt, tried_until, seen.state AS was
    ), told AS (
      INSERT INTO events (subject_kind, subject_id, "from", "to", at, by)
      SELECT 'run', id, was, 'running', ${at}, ${`worker:${holder}`} FROM claimed
    )
    SELECT claimed.id, plan_id AS "planId", user_id AS "userId", fence, attempt, tried_until AS "triedUntil"
    FROM claimed JOIN plans ON plans.id = plan_id`;
  return claimed ?? null;
}

/** What a claim changes of a row of `runs` whose state was `was`. */
export function claimedBy({ holder, at, was }: { holder: string; at: Date; was: Prisma.Sql }): Prisma.Sql {
  return Prisma.sql`state = 'running', fence = runs.fence + 1, claimed_at = ${at}, lease_holder = ${holder}, lease_until = ${until(at)},
    attempt = CASE ${was} WHEN 'queued' THEN attempt + 1 ELSE attempt END,
    lost_workers = CASE ${was} WHEN 'queued' THEN lost_workers ELSE lost_workers + 1 END,
    started_at = coalesce(started_at, ${at})`;
}

/** A condition on a row of `runs`: its lease can be claimed. */
export function canBeClaimed(at: Date): Prisma.Sql {
  return Prisma.sql`runs.due_at <= ${at}
    AND (runs.state = 'queued' OR (runs.state = 'running' AND runs.lease_until < ${at} AND runs.tried_until > ${at}
      AND runs.lost_workers + 1 < ${manyLostWorkers}))
    AND NOT EXISTS (SELECT 1 FROM runs other WHERE other.plan_id = runs.plan_id AND other.id <> runs.id
      AND other.state = 'running' AND other.lease_until >= ${at})`;
}

/** Keeps the lease for another minute; false when it is lost, or the run was cancelled. */
export async function renewRun(database: Database, { run, at }: { run: ClaimedRun; at: Date }): Promise<boolean> {
  const { count } = await database.run.updateMany({
    where: { id: run.id, fence: run.fence, state: 'running' },
    data: { leaseUntil: until(at) },
  });
  return count === 1;
}

/** Those runs in a worker's hand that are no longer its own: cancelled, or given to another. */
export async function listLostRuns(
  database: Database,
  inHand: readonly Pick<ClaimedRun, 'id' | 'fence'>[],
): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT held.id FROM unnest(${inHand.map(({ id }) => id)}::uuid[], ${inHand.map(({ fence }) => fence)}::int[]) AS held (id, fence)
    WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = held.id AND runs.fence = held.fence AND state = 'running')`;
  return rows.map(({ id }) => id);
}

/** Gives back the lease of a run that was cancelled, once nobody works on it any more. */
export async function releaseRun(database: Database, { id, fence }: Pick<ClaimedRun, 'id' | 'fence'>): Promise<void> {
  const released = { leaseHolder: null, leaseUntil: null };
  await database.run.updateMany({ where: { id, fence, state: 'cancelled' }, data: released });
}

function until(at: Date): Date {
  return new Date(at.getTime() + runLeaseMs);
}
