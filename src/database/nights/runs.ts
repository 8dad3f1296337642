import { manyLostWorkers, nextAfterLostWorker, requestedUntil } from '../../domain/run-tries.ts';
import { farMore, turnAfterWork, turnOf } from '../../domain/turns.ts';
import { escapedName } from '../../file-name.ts';
import { type Database, inTransaction, repeated, type Transaction } from '../client.ts';
import { saveEvent, saveEvents } from '../events.ts';
import { Prisma } from '../generated/client.ts';

/** A run that this process may work on until `until`, and no longer. */
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

/** The sources of a plan, as they are kept. */
export function readSources(value: Prisma.JsonValue): { name: string; url: string }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return [];
    const { name, url } = item;
    return typeof name === 'string' && typeof url === 'string' ? [{ name, url }] : [];
  });
}

/** Of the problems of a run, as they are kept, where they are and since when. */
export function readProblems(value: Prisma.JsonValue): { path: string; since?: string }[] {
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

/** Of a row of `runs`: that its lease is to be had. */
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

/**
 * Ends a run, guarded by its fence, all in one statement; false when the lease was lost meanwhile. What was wrong with an earlier attempt
 * goes, and where there is a snapshot, the checkpoint before it; a verification is due now then where damage is known, which may be mended. For
 * `heldUpMs` of the time since it was claimed the worker's machine had no processor for it.
 */
export async function finishRun(
  database: Database,
  { run, end, heldUpMs = 0, holder, at }: { run: ClaimedRun; end: RunEnd; heldUpMs?: number; holder: string; at: Date },
): Promise<boolean> {
  const { state, snapshotId = null, counts, problems, problemCount = null, alarm = null, heldSnapshotId = null } = end;
  const { errorCode = null, message } = end;
  const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
  const ended = await repeated(
    () => database.$executeRaw`
    WITH ended AS (
      UPDATE runs SET state = ${state}::run_state, finished_at = ${at}, lease_holder = NULL, lease_until = NULL,
        worked_ms = worked_ms + ${stint(at, heldUpMs)}, held_up_ms = held_up_ms + ${heldUp(at, heldUpMs)}, error_code = ${errorCode}, message = ${message === undefined ? null : escapedName(message)},
        snapshot_id = coalesce(${snapshotId}, snapshot_id), counts = coalesce(${json(counts)}::jsonb, counts),
        problems = coalesce(${json(problems?.map(storable))}::jsonb, problems), problem_count = coalesce(${problemCount}::int, problem_count),
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

/**
 * Puts a run back to be claimed from `dueAt` on, and says why; `spent` says whether the try counts, and `yields` whether others that wait go
 * first for the time that it had a worker.
 */
export async function returnRun(
  database: Database,
  input: {
    run: ClaimedRun;
    dueAt: Date;
    spent: boolean;
    yields: boolean;
    errorCode?: string;
    message?: string;
    heldUpMs?: number;
    holder: string;
    at: Date;
  },
): Promise<boolean> {
  const { run, dueAt, spent, yields, errorCode = null, message = null, heldUpMs = 0, holder, at } = input;
  const attempt = spent ? run.attempt : run.attempt - 1;
  const words = message && escapedName(message);
  const measured = await measureStint(database, { id: run.id, heldUpMs, at });
  const { trigger, stintMs, others, turnOfLess } = measured;
  const data = { dueAt, attempt, errorCode, message: words, lostWorkers: 0, ...stintOf(measured) };
  const turnAt = turnAfterWork({ trigger, dueAt, workedMs: stintMs, others });
  const turn = yields ? { turnAt: turnOfLess !== null && turnOfLess > turnAt ? turnOfLess : turnAt } : {};
  return inTransaction(database, async (transaction) => {
    const { count } = await transaction.run.updateMany({
      where: { id: run.id, fence: run.fence, state: 'running' },
      data: { ...data, ...turn, state: 'queued', leaseHolder: null, leaseUntil: null },
    });
    if (count === 0) return false;
    await transaction.runProgress.deleteMany({ where: { runId: run.id } });
    await saveEvent(transaction, 'run', run.id, { from: 'running', to: 'queued', at, by: `worker:${holder}` });
    return true;
  });
}

/** How long a run has been worked on this time, in milliseconds, and how long of it its machine had no processor for it. */
const sinceClaimed = (at: Date) => Prisma.sql`greatest(0, extract(epoch FROM ${at}::timestamptz - claimed_at) * 1000)`;
const heldUp = (at: Date, heldUpMs: number) =>
  Prisma.sql`least(2147483647 - held_up_ms, ${heldUpMs}::float, ${sinceClaimed(at)})::int`;
/** The rest. */
const stint = (at: Date, heldUpMs: number) =>
  Prisma.sql`greatest(0, least(2147483647 - worked_ms, ${sinceClaimed(at)} - ${heldUpMs}::float))::int`;

function stintOf({ stintMs, heldUpMs }: Stint) {
  return { workedMs: { increment: stintMs }, heldUpMs: { increment: heldUpMs } };
}

interface Stint {
  trigger: string;
  stintMs: number;
  heldUpMs: number;
  /** How many others have had a worker without having ended. */
  others: number;
  /** After the last turn of the nights that wait and have had far less, but for those that wait for what nights before took; null where there are none. */
  turnOfLess: Date | null;
}

/** The same of one, and what there is besides. */
async function measureStint(
  database: Database,
  { id, heldUpMs, at }: { id: string; heldUpMs: number; at: Date },
): Promise<Stint> {
  const [found] = await database.$queryRaw<Stint[]>`
    SELECT trigger, stint_ms AS "stintMs", held_up_ms AS "heldUpMs",
      (SELECT count(*) FROM runs other WHERE other.state IN ('queued', 'running') AND other.worked_ms > 0 AND other.id <> own.id)::int AS others,
      (SELECT max(other.turn_at) + interval '1 ms' FROM runs other WHERE other.state = 'queued' AND other.due_at <= ${at} AND other.trigger = 'schedule'
        AND (other.worked_ms > 0 OR other.turn_at <= ${at}) AND other.worked_ms * ${farMore} < own.worked_ms + own.stint_ms) AS "turnOfLess"
    FROM (SELECT id, trigger, worked_ms, ${stint(at, heldUpMs)} AS stint_ms, ${heldUp(at, heldUpMs)} AS held_up_ms FROM runs WHERE id = ${id}::uuid) own`;
  return found ?? { trigger: '', stintMs: 0, heldUpMs: 0, others: 0, turnOfLess: null };
}

interface Lapsed {
  id: string;
  lostWorkers: number;
  triedUntil: Date;
}

/**
 * Returns runs whose worker ended in the middle to the queue, so that its try does not count, and answers how many. Those fail whose
 * time is over.
 */
export async function returnLapsedRuns(
  database: Database,
  { at, by }: { at: Date; by: string },
): Promise<{ returned: number; failed: number }> {
  return inTransaction(database, async (transaction) => {
    const rows = await transaction.$queryRaw<Lapsed[]>`
      SELECT id, lost_workers + 1 AS "lostWorkers", tried_until AS "triedUntil" FROM runs
      WHERE state = 'running' AND lease_until < ${at} FOR UPDATE SKIP LOCKED`;
    const moves = rows.map((row) => ({ id: row.id, ...afterLostWorker(row, at) }));
    for (const { id, data } of moves) await transaction.run.update({ where: { id }, data });
    await transaction.runProgress.deleteMany({ where: { runId: { in: idsOf(moves) } } });
    const { queued = [], failed = [] } = Object.groupBy(moves, ({ data }) => data.state);
    const change = { from: 'running', at, by, reason: 'lease lapsed' };
    await saveEvents(transaction, 'run', idsOf(queued), { ...change, to: 'queued' });
    await saveEvents(transaction, 'run', idsOf(failed), { ...change, to: 'failed' });
    return { returned: queued.length, failed: failed.length };
  });
}

function afterLostWorker({ id, lostWorkers, triedUntil }: Lapsed, at: Date) {
  const dueAt = nextAfterLostWorker({ id, lost: lostWorkers, at, until: triedUntil });
  const message = lostWorkerWords(lostWorkers, { isOver: dueAt === undefined });
  const ended = { leaseHolder: null, leaseUntil: null, lostWorkers, errorCode: 'run/lost-worker', message };
  return dueAt === undefined
    ? { data: { ...ended, state: 'failed' as const, finishedAt: at } }
    : { data: { ...ended, state: 'queued' as const, dueAt, attempt: { decrement: 1 } } };
}

function lostWorkerWords(lost: number, { isOver }: { isOver: boolean }): string {
  const isMany = lost >= manyLostWorkers;
  const what = isMany
    ? `The workers that made this backup stopped before it was complete, ${lost} times in a row`
    : 'The worker that made this backup stopped before it was complete';
  const cure = isMany ? ' The operator must find out why: the log says what they did last.' : '';
  return `${what}${isOver ? ', and its time was over' : ''}.${cure}`;
}

interface Pulled {
  id: string;
  fence: number;
  /** Whether a worker has yet to take it. */
  waits: boolean;
  /** Whether its turn comes sooner now. */
  isMoved: boolean;
}

/**
 * The plan's run that is under way, or null. One that waits is due at once, as if it had not been tried: what it waited for is
 * no longer said, and it has all the time of one that is asked for. The plan is locked.
 */
export async function pullForward(
  transaction: Transaction,
  { planId, trigger, at, by }: { planId: string; trigger?: string; at: Date; by: string },
): Promise<Pulled | null> {
  const underWay = await transaction.run.findFirst({
    where: { planId, state: { in: ['queued', 'running'] } },
    // One that is being worked on before those that wait.
    orderBy: [{ state: 'desc' }, { dueAt: 'asc' }],
    select: { id: true, fence: true, state: true, trigger: true, dueAt: true, triedUntil: true },
  });
  if (underWay === null) return null;
  const { id, fence, state, dueAt } = underWay;
  if (state === 'running') return { id, fence, waits: false, isMoved: false };
  const turnAt = turnOf({ trigger: trigger === 'operator' ? trigger : underWay.trigger, dueAt: at });
  if (dueAt <= at) {
    if (trigger !== 'operator') return { id, fence, waits: true, isMoved: false };
    const later = { id, fence, state, turnAt: { gt: turnAt } };
    const { count } = await transaction.run.updateMany({ where: later, data: { turnAt } });
    return { id, fence, waits: true, isMoved: count === 1 };
  }
  const triedUntil = new Date(Math.max(underWay.triedUntil.getTime(), requestedUntil(at).getTime()));
  const { count } = await transaction.run.updateMany({
    where: { id, fence, state },
    data: { dueAt: at, turnAt, triedUntil, attempt: 0, errorCode: null, message: null },
  });
  if (count === 1) await saveEvent(transaction, 'run', id, { to: 'pulled forward', at, by });
  return { id, fence, waits: count === 1, isMoved: count === 1 };
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
