import type { NightProgress, Pace } from '../domain/tonight.ts';
import type { Database } from './client.ts';

export interface NightSpan {
  /** Calendar dates that nights of the span may have. */
  firstDate: string;
  lastDate: string;
  from: Date;
  to: Date;
}

/** How far the night is: the runs that became due in the span, and the plans that become due before it ends. */
export async function measureNight(
  database: Database,
  { firstDate, lastDate, from, to, at }: NightSpan & { at: Date },
): Promise<NightProgress> {
  const [progress] = await database.$queryRaw<[NightProgress]>`
    WITH night AS (
      SELECT state, due_at, error_code, tried_until FROM runs
      WHERE slot = 'night' AND night BETWEEN ${firstDate} AND ${lastDate} AND queued_at >= ${from} AND queued_at < ${to}
    ), to_come AS (
      SELECT next_due_at FROM plans JOIN grants ON grants.id = plans.grant_id
      WHERE NOT paused AND grants.state IN ('active', 'suspect') AND next_due_at < ${to}
    )
    SELECT count(*) FILTER (WHERE state = 'succeeded')::int AS succeeded,
      count(*) FILTER (WHERE state = 'partial')::int AS partial,
      count(*) FILTER (WHERE state = 'failed')::int AS failed,
      count(*) FILTER (WHERE state = 'running')::int AS running,
      count(*) FILTER (WHERE state = 'queued' AND due_at <= ${at})::int AS waiting,
      count(*) FILTER (WHERE state = 'queued' AND due_at > ${at})::int AS again,
      min(due_at) FILTER (WHERE state = 'queued' AND due_at <= ${at}) AS "oldestDueAt",
      max(tried_until) FILTER (WHERE state IN ('queued', 'running')) AS "triedUntil",
      (SELECT count(*)::int FROM to_come) AS "toCome", (SELECT min(next_due_at) FROM to_come) AS "nextDueAt",
      (SELECT max(next_due_at) FROM to_come) AS "lastDueAt"
    FROM night`;
  return progress;
}

/** What ended since then, of any kind. */
export async function measurePace(
  database: Database,
  { at, since }: { at: Date; since: Date },
): Promise<Pace & { workers: number }> {
  const [row] = await database.$queryRaw<[{ ended: number; typicalMs: number | null; workers: number }]>`
    SELECT count(*)::int AS ended, (avg(extract(epoch FROM finished_at - started_at)) * 1000)::float8 AS "typicalMs",
      (SELECT count(DISTINCT lease_holder)::int FROM runs WHERE state = 'running' AND lease_until >= ${at}) AS workers
    FROM runs WHERE finished_at > ${since} AND finished_at <= ${at} AND state IN ('succeeded', 'partial', 'failed')`;
  return { ...row, ms: at.getTime() - since.getTime() };
}

/** The latest run of people that did not go well, by what kept it from that. */
export interface TroubleGroup {
  state: 'partial' | 'failed' | 'queued';
  errorCode: string | null;
  people: number;
  since: Date;
  /** For `queued`: when the first of them is tried again. */
  nextDueAt: Date | null;
}

/**
 * The people with a living consent whose latest run brought not all, or waits to be tried again after a failure, grouped by
 * outcome and code, the largest group first. Whose next run is under way or asked for is in no group.
 */
export async function groupTrouble(database: Database): Promise<TroubleGroup[]> {
  return database.$queryRaw<TroubleGroup[]>`
    SELECT latest.state::text, latest.error_code AS "errorCode", count(*)::int AS people,
      min(coalesce(latest.finished_at, latest.queued_at)) AS since,
      min(latest.due_at) FILTER (WHERE latest.state = 'queued') AS "nextDueAt"
    FROM plans p JOIN grants g ON g.id = p.grant_id
    JOIN LATERAL (SELECT state, error_code, finished_at, queued_at, due_at FROM runs
      WHERE plan_id = p.id AND state NOT IN ('cancelled', 'skipped') ORDER BY queued_at DESC LIMIT 1) latest ON true
    WHERE g.state IN ('active', 'suspect')
      AND (latest.state IN ('partial', 'failed') OR (latest.state = 'queued' AND latest.error_code IS NOT NULL))
    GROUP BY 1, 2 ORDER BY people DESC, 1, 2`;
}

/** The plans of such a group, at most `limit`. */
export async function listPlansInTrouble(
  database: Database,
  { state, errorCode, limit }: Pick<TroubleGroup, 'state' | 'errorCode'> & { limit: number },
): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT p.id FROM plans p JOIN grants g ON g.id = p.grant_id
    JOIN LATERAL (SELECT state, error_code FROM runs
      WHERE plan_id = p.id AND state NOT IN ('cancelled', 'skipped') ORDER BY queued_at DESC LIMIT 1) latest ON true
    WHERE g.state IN ('active', 'suspect') AND latest.state::text = ${state}
      AND latest.error_code IS NOT DISTINCT FROM ${errorCode}::text
    ORDER BY p.id LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

export interface ServerPace {
  /** As the plans name it; a claim in it stands in braces. */
  host: string;
  runs: number;
  msPerRequest: number;
}

/** The servers of files whose runs took the longest for each request since then, the slowest first. */
export async function listSlowestServers(
  database: Database,
  { since, limit }: { since: Date; limit: number },
): Promise<ServerPace[]> {
  return database.$queryRaw<ServerPace[]>`
    WITH took AS (
      SELECT substring(p.sources -> 0 ->> 'url' FROM '^[a-z]+://([^/]+)') AS host,
        (r.counts ->> 'ms')::float8 AS ms, (r.counts ->> 'requests')::float8 AS requests
      FROM runs r JOIN plans p ON p.id = r.plan_id
      WHERE r.finished_at > ${since} AND r.state IN ('succeeded', 'partial') AND jsonb_typeof(r.counts) = 'object'
    )
    SELECT host, count(*)::int AS runs, sum(ms) / sum(requests) AS "msPerRequest"
    FROM took WHERE host IS NOT NULL AND requests > 0 AND ms IS NOT NULL
    GROUP BY host ORDER BY "msPerRequest" DESC LIMIT ${limit}`;
}

export interface NightOutcome {
  night: string;
  succeeded: number;
  partial: number;
  failed: number;
}

/** What the nights from this date on came to: of each person the best run that counts for the night. */
export async function listNightOutcomes(
  database: Database,
  { firstDate, lastDate }: { firstDate: string; lastDate: string },
): Promise<NightOutcome[]> {
  return database.$queryRaw<NightOutcome[]>`
    WITH best AS (
      SELECT night, min(CASE state WHEN 'succeeded' THEN 0 WHEN 'partial' THEN 1 ELSE 2 END) AS rank FROM runs
      WHERE night BETWEEN ${firstDate} AND ${lastDate} AND state IN ('succeeded', 'partial', 'failed')
      GROUP BY night, plan_id
    )
    SELECT night, count(*) FILTER (WHERE rank = 0)::int AS succeeded, count(*) FILTER (WHERE rank = 1)::int AS partial,
      count(*) FILTER (WHERE rank = 2)::int AS failed
    FROM best GROUP BY night ORDER BY night`;
}
