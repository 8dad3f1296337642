import { lightRun, type Places } from '../domain/places.ts';
import { farMore, leastTurn, lengthOfTurn, placesAfterTurn } from '../domain/turns.ts';
import { type Database, inTransaction, type Transaction } from './client.ts';
import { Prisma } from './generated/client.ts';
import { type ClaimedRun, canBeClaimed, takeRun } from './runs.ts';

/** The host that the files of a row of `plans` are on, and its port where it has one; empty where they are nowhere. */
export const hostOfPlan = Prisma.raw(`coalesce(substring(plans.sources -> 0 ->> 'url' FROM '^[a-z]+://([^/]+)'), '')`);

/** Whether the next run of a row of `plans` will bring much, by its last backup. */
export const isHeavyOfPlan = Prisma.sql`NOT coalesce((
  SELECT (last.counts ->> 'entries')::numeric <= ${lightRun.entries} AND (last.counts ->> 'dataAdded')::numeric <= ${lightRun.bytes}
  FROM runs last WHERE last.plan_id = plans.id AND last.snapshot_id IS NOT NULL ORDER BY last.queued_at DESC LIMIT 1), false)`;

/** So many runs say what is usual, and fewer than the least of them say nothing. */
const runsAsked = { most: 100, least: 5 };

/** How long a run has a worker now before it lets others go first, in milliseconds (see src/domain/turns.ts). */
export async function findLengthOfTurn(database: Transaction, turnMs: number): Promise<number> {
  const [found] = await database.$queryRaw<{ usualMs: number | null }[]>`
    SELECT CASE WHEN count(*) >= ${runsAsked.least} THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY worked_ms) END AS "usualMs"
    FROM (SELECT worked_ms FROM runs WHERE state IN ('succeeded', 'partial') AND finished_at IS NOT NULL
      ORDER BY finished_at DESC LIMIT ${runsAsked.most}) AS last`;
  return lengthOfTurn({ usualMs: found?.usualMs ?? null, turnMs });
}

/** Others claim at the same time, and each claim goes to one of them; more do not claim at once. */
const mostTries = 200;

/**
 * Takes the lease of the run whose turn it is (see src/domain/turns.ts); null where none is to be had. Among those whose turn has come, a
 * run of the server comes first of which the fewest are being worked on, so that none of them has the night for itself. `full` where only such
 * wait that this worker has enough of in hand: of heavy ones `heavyRuns`, and of those that have had a turn before, which count as heavy, a quarter less.
 */
export async function claimNextRun(
  database: Database,
  { holder, at, concurrency, heavyRuns, turnMs }: { holder: string; at: Date; turnMs: number } & Places,
): Promise<ClaimedRun | 'full' | null> {
  const hadATurn = Prisma.sql`worked_ms >= ${leastTurn(turnMs)}::float`;
  const hasLimit = heavyRuns < concurrency;
  const isHeld = Prisma.sql`state = 'running' AND lease_until >= ${at}`;
  const waits = Prisma.sql`runs.state = 'queued' AND runs.heavy = kinds.heavy AND runs.host = kinds.host AND runs.due_at <= ${at}
    AND runs.plan_id <> ALL (ARRAY(SELECT plan_id FROM runs WHERE ${isHeld}))`;
  const claimFirst = async (transaction: Transaction) => {
    // Of each kind only the first is looked at, by the index of those that wait: however many they are. Its plan is locked, see `claimRun`.
    const [next] = await transaction.$queryRaw<{ id: string; full: boolean }[]>`
      WITH RECURSIVE kinds AS (
        (SELECT heavy, host FROM runs WHERE state = 'queued' ORDER BY heavy, host LIMIT 1)
        UNION ALL
        SELECT other.* FROM kinds CROSS JOIN LATERAL (
          SELECT heavy, host FROM runs WHERE state = 'queued' AND (heavy, host) > (kinds.heavy, kinds.host) ORDER BY heavy, host LIMIT 1) other
      ), busy AS (
        SELECT host, count(*) AS held FROM runs WHERE ${isHeld} GROUP BY host
      ), mine AS (
        SELECT held.no_heavy, held.no_heavy OR turned >= ${placesAfterTurn(heavyRuns)} AS no_turned FROM (
          SELECT ${hasLimit} AND count(*) >= ${heavyRuns} AS no_heavy, count(*) FILTER (WHERE ${hadATurn}) AS turned
          FROM runs WHERE ${isHeld} AND lease_holder = ${holder} AND (heavy OR ${hadATurn})) held
      ), first AS (
        SELECT one.*, false AS is_full FROM kinds CROSS JOIN mine CROSS JOIN LATERAL (
          SELECT id, plan_id, host, turn_at, queued_at FROM runs
          WHERE ${waits} AND NOT (mine.no_heavy AND kinds.heavy) AND (NOT mine.no_turned OR NOT ${hadATurn})
          ORDER BY turn_at, queued_at LIMIT 1) one
        UNION ALL
        SELECT one.*, true FROM kinds CROSS JOIN mine CROSS JOIN LATERAL (
          SELECT id, plan_id, host, turn_at, queued_at FROM runs
          WHERE ${waits} AND mine.no_turned AND (mine.no_heavy AND kinds.heavy OR ${hadATurn}) LIMIT 1) one
        UNION ALL
        SELECT id, plan_id, host, turn_at, queued_at, mine.no_turned AND (mine.no_heavy AND heavy OR ${hadATurn}) FROM runs CROSS JOIN mine
        WHERE state = 'running' AND ${canBeClaimed(at)}
      ), next AS (
        SELECT id, plan_id, is_full FROM first LEFT JOIN busy USING (host)
        ORDER BY is_full, turn_at > ${at}, coalesce(held, 0), turn_at, queued_at LIMIT 1
      ), locked AS (
        SELECT plans.id FROM next JOIN plans ON plans.id = plan_id WHERE NOT is_full FOR UPDATE OF plans
      )
      SELECT next.id, is_full AS "full" FROM next LEFT JOIN locked ON locked.id = plan_id`;
    if (next === undefined) return 'none';
    if (next.full) return 'full';
    return takeRun(transaction, { runId: next.id, holder, at });
  };
  for (let tries = 0; tries < mostTries; tries++) {
    const claimed = await inTransaction(database, claimFirst);
    if (claimed !== null) return claimed === 'none' ? null : claimed;
  }
  return null;
}

/** Somebody who has waited for so long is not just about to be taken by a worker that is free. */
const graceMs = 2_000;
/**
 * This is asked each second: what ends before half of the next one ends now, so that turns are as long as meant in the middle; but no turn is shorter by more than
 * this part, so that what takes as long as is usual is not ended shortly before its end.
 */
const ahead = { ms: 500, part: 0.1 };

/**
 * The runs in the hands of this worker that have to let others go first: those that were worked on for a whole turn, and
 * for as long as in all times before, so that one that has to begin anew each time gets to its end too. Of all workers' the longest first, and as many as there are for
 * whom no worker is free and whose turn has come, or who are nights that have had far less: whoever takes a little longer than is usual waits for nobody who takes for ever.
 */
export async function listRunsToGiveWay(
  database: Database,
  { holder, at, turnMs }: { holder: string; at: Date; turnMs: number },
): Promise<string[]> {
  const lengthMs = await findLengthOfTurn(database, turnMs);
  const aheadMs = Math.min(ahead.ms, lengthMs * ahead.part);
  const since = new Date(at.getTime() - graceMs);
  const rows = await database.$queryRaw<{ id: string; holder: string }[]>`
    WITH longest AS (
      SELECT id, holder, had_ms, row_number() OVER (ORDER BY had_ms DESC, id) AS place FROM (
        SELECT id, lease_holder AS holder, worked_ms, extract(epoch FROM ${at}::timestamptz - claimed_at) * 1000 AS stint_ms,
          worked_ms + extract(epoch FROM ${at}::timestamptz - claimed_at) * 1000 AS had_ms
        FROM runs WHERE state = 'running' AND lease_until >= ${at}) held
      WHERE stint_ms >= greatest(${lengthMs}::float, worked_ms) - ${aheadMs}::float
    )
    SELECT id, holder FROM longest
    WHERE place <= (SELECT count(*) FROM (
      SELECT FROM runs WHERE ${canBeClaimed(at)} AND due_at <= ${since}
        AND (turn_at <= ${since} OR (trigger = 'schedule' AND worked_ms * ${farMore} < had_ms))
      LIMIT (SELECT count(*) FROM longest)) waiting)
    ORDER BY place`;
  return rows.filter((row) => row.holder === holder).map(({ id }) => id);
}

/** Says of runs that have not ended which host their files are on, where an older version queued them and did not: until then these count as of one host. */
export async function nameHosts(database: Database): Promise<void> {
  await database.$executeRaw`
    UPDATE runs SET host = ${hostOfPlan} FROM plans
    WHERE plans.id = plan_id AND runs.state IN ('queued', 'running') AND runs.host = '' AND ${hostOfPlan} <> ''`;
}
