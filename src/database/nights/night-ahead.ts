import type { PlansAlike } from '../../domain/night-forecast.ts';
import type { Places } from '../../domain/places.ts';
import type { Database } from '../client.ts';

/** What the last nights say of how long one takes. */
export interface NightFigures {
  /** Exchanges for each of the last backups; null where there were none. */
  refreshesEach: number | null;
  /** How long one of them had one of the places of a worker, on average, in milliseconds, a heavy one all the places that it takes; null where there were none. */
  typicalMs: number | null;
  /** Workers that were at work in the middle of the last night. */
  workers: number;
}

/** How many of the last backups, or exchanges, are looked at to tell how long they take. */
const asked = 10_000;

/** Counts the plans that go on, or whose pause has an end, by their hours, the night that they wait for and that end, by going through them. */
export async function countPlansAlike(database: Database): Promise<PlansAlike[]> {
  return database.$queryRaw<PlansAlike[]>`
    SELECT zone, window_start AS "windowStart", window_end AS "windowEnd", next_night AS "nextNight", paused_until AS "pausedUntil",
      count(*)::int AS plans
    FROM plans JOIN grants ON grants.id = plans.grant_id
    WHERE (NOT paused OR paused_until IS NOT NULL) AND grants.state IN ('active', 'suspect') GROUP BY 1, 2, 3, 4, 5`;
}

/**
 * Measures the last backups of nights that ended after `since`. A worker was at work from its first exchange for a run until its last such run
 * had its time: by the middle of the night, since a backup that is tried once more after it keeps one of them, and one that was started anew has two names.
 */
export async function measureNightAhead(
  database: Database,
  { since, concurrency, heavyRuns }: { since: Date } & Places,
): Promise<NightFigures> {
  const [figures] = await database.$queryRaw<[NightFigures]>`
    WITH last AS (
      SELECT (worked_ms + held_up_ms) * CASE WHEN heavy THEN ${concurrency / heavyRuns}::float8 ELSE 1 END AS worked_ms, started_at, finished_at FROM runs
      WHERE finished_at > ${since} AND state IN ('succeeded', 'partial', 'failed') AND slot = 'night'
      ORDER BY finished_at DESC LIMIT ${asked}
    ), span AS (
      SELECT count(*) AS runs, avg(worked_ms) AS typical_ms, min(started_at) AS first, max(finished_at) AS last FROM last
    ), begun AS (
      SELECT holder, started_at FROM exchanges
      WHERE started_at BETWEEN (SELECT last FROM span) - interval '12 hours' AND (SELECT last FROM span) AND purpose = 'run'
      ORDER BY started_at DESC LIMIT ${asked}
    ), middle AS (
      SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY started_at) AS at FROM begun
    )
    SELECT typical_ms::float8 AS "typicalMs",
      (SELECT count(*) FROM exchanges WHERE started_at BETWEEN span.first AND span.last)::float8 / nullif(runs, 0) AS "refreshesEach",
      (SELECT count(*)::int FROM (SELECT FROM begun CROSS JOIN middle GROUP BY holder, middle.at
        HAVING min(started_at) <= middle.at AND max(started_at) + span.typical_ms * interval '1 ms' >= middle.at) at_work) AS workers
    FROM span`;
  return figures;
}
