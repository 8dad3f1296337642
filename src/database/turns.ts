import type { Database } from './client.ts';
import { Prisma } from './generated/client.ts';
import { type ClaimedRun, canBeClaimed, claimRun } from './runs.ts';

/** Of the server that a plan's files are on. */
const origin = (plan: string) => Prisma.raw(`substring(${plan}.sources -> 0 ->> 'url' FROM '^[a-z]+://([^/]+)')`);

/** Others claim at the same time, and each claim goes to one of them; more do not claim at once. */
const mostTries = 200;

/**
 * Takes the lease of the run whose turn it is (see src/domain/turns.ts); null where none is to be had. Among those whose turn has come, a
 * run of the server comes first of which the fewest are being worked on, so that none of them has the night for itself.
 */
export async function claimNextRun(
  database: Database,
  { holder, at }: { holder: string; at: Date },
): Promise<ClaimedRun | null> {
  for (let tries = 0; tries < mostTries; tries++) {
    const [next] = await database.$queryRaw<{ id: string }[]>`
      SELECT runs.id FROM runs JOIN plans ON plans.id = runs.plan_id
      LEFT JOIN (
        SELECT ${origin('p')} AS origin, count(*) AS held FROM runs r JOIN plans p ON p.id = r.plan_id
        WHERE r.state = 'running' AND r.lease_until >= ${at} GROUP BY 1
      ) busy ON busy.origin = ${origin('plans')}
      WHERE ${canBeClaimed(at)}
      ORDER BY runs.turn_at > ${at}, coalesce(busy.held, 0), runs.turn_at, runs.queued_at LIMIT 1`;
    if (next === undefined) return null;
    const claimed = await claimRun(database, { runId: next.id, holder, at });
    if (claimed !== null) return claimed;
  }
  return null;
}

/** Somebody who has waited for so long is not just about to be taken by a worker that is free. */
const graceMs = 2_000;

/**
 * The runs in the hands of this worker that have to let others go first: those that were worked on for `turnMs`, and
 * for as long as in all times before, so that one that has to begin anew each time gets to its end too. Of all workers' the longest first, and as many as there are whose turn has come and for whom no worker is free.
 */
export async function listRunsToGiveWay(
  database: Database,
  { holder, at, turnMs }: { holder: string; at: Date; turnMs: number },
): Promise<string[]> {
  const since = new Date(at.getTime() - graceMs);
  const rows = await database.$queryRaw<{ id: string; holder: string }[]>`
    SELECT id, lease_holder AS holder FROM runs
    WHERE state = 'running' AND lease_until >= ${at}
      AND claimed_at <= ${at}::timestamptz - greatest(${turnMs}::int, worked_ms) * interval '1 ms'
    ORDER BY worked_ms * interval '1 ms' + (${at}::timestamptz - claimed_at) DESC, id
    LIMIT (SELECT count(*) FROM runs WHERE ${canBeClaimed(at)} AND greatest(turn_at, due_at) <= ${since})`;
  return rows.filter((row) => row.holder === holder).map(({ id }) => id);
}
