import { leastTurn, lengthOfTurn, placesAfterTurn } from '../domain/turns.ts';
import type { Database, Transaction } from './client.ts';
import { Prisma } from './generated/client.ts';
import { type ClaimedRun, canBeClaimed, claimRun } from './runs.ts';

/** Of the server that a plan's files are on. */
const origin = (plan: string) => Prisma.raw(`substring(${plan}.sources -> 0 ->> 'url' FROM '^[a-z]+://([^/]+)')`);

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
 * wait that have had a turn before, and this worker has as many of these in hand as it may.
 */
export async function claimNextRun(
  database: Database,
  { holder, at, concurrency, turnMs }: { holder: string; at: Date; concurrency: number; turnMs: number },
): Promise<ClaimedRun | 'full' | null> {
  const hadATurn = (run: string) => Prisma.sql`${Prisma.raw(run)}.worked_ms >= ${leastTurn(turnMs)}::float`;
  for (let tries = 0; tries < mostTries; tries++) {
    const [next] = await database.$queryRaw<{ id: string; full: boolean }[]>`
      SELECT runs.id, ${hadATurn('runs')} AND mine.held >= ${placesAfterTurn(concurrency)} AS "full"
      FROM runs JOIN plans ON plans.id = runs.plan_id
      LEFT JOIN (
        SELECT ${origin('p')} AS origin, count(*) AS held FROM runs r JOIN plans p ON p.id = r.plan_id
        WHERE r.state = 'running' AND r.lease_until >= ${at} GROUP BY 1
      ) busy ON busy.origin = ${origin('plans')}
      CROSS JOIN (
        SELECT count(*) AS held FROM runs r
        WHERE r.state = 'running' AND r.lease_until >= ${at} AND r.lease_holder = ${holder} AND ${hadATurn('r')}
      ) mine
      WHERE ${canBeClaimed(at)}
      ORDER BY "full", runs.turn_at > ${at}, coalesce(busy.held, 0), runs.turn_at, runs.queued_at LIMIT 1`;
    if (next === undefined) return null;
    if (next.full) return 'full';
    const claimed = await claimRun(database, { runId: next.id, holder, at });
    if (claimed !== null) return claimed;
  }
  return null;
}

/** Somebody who has waited for so long is not just about to be taken by a worker that is free. */
const graceMs = 2_000;
/** This is asked each second: what ends before half of the next one ends now, so that turns are as long as meant in the middle. */
const aheadMs = 500;

/**
 * The runs in the hands of this worker that have to let others go first: those that were worked on for a whole turn, and
 * for as long as in all times before, so that one that has to begin anew each time gets to its end too. Of all workers' the longest first, and as many as there are whose turn has come and for whom no worker is free.
 */
export async function listRunsToGiveWay(
  database: Database,
  { holder, at, turnMs }: { holder: string; at: Date; turnMs: number },
): Promise<string[]> {
  const lengthMs = await findLengthOfTurn(database, turnMs);
  const since = new Date(at.getTime() - graceMs);
  const rows = await database.$queryRaw<{ id: string; holder: string }[]>`
    SELECT id, lease_holder AS holder FROM runs
    WHERE state = 'running' AND lease_until >= ${at}
      AND claimed_at <= ${at}::timestamptz - (greatest(${lengthMs}::float, worked_ms) - ${aheadMs}) * interval '1 ms'
    ORDER BY worked_ms * interval '1 ms' + (${at}::timestamptz - claimed_at) DESC, id
    LIMIT (SELECT count(*) FROM runs WHERE ${canBeClaimed(at)} AND greatest(turn_at, due_at) <= ${since})`;
  return rows.filter((row) => row.holder === holder).map(({ id }) => id);
}
