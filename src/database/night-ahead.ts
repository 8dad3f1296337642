import type { Places } from '../domain/places.ts';
import type { Database } from './client.ts';

/** What the last nights say of how long one takes. */
export interface NightFigures {
  /** Exchanges for each of the last backups; null where there were none. */
  refreshesEach: number | null;
  /** How long one of them had one of the places of a worker, on average, in milliseconds, a heavy one all the places that it takes; null where there were none. */
  typicalMs: number | null;
  /** Workers that took part in the last hour of the last of them. */
  workers: number;
}

/** So many of the last backups, or exchanges, say how it goes. */
const asked = 10_000;

/** Counts the plans that become due until then, by going through them. */
export async function countPlansDue(database: Database, { to }: { to: Date }): Promise<number> {
  return database.plan.count({ where: { paused: false, nextDueAt: { lt: to } } });
}

/** Measures the last backups of nights that ended after `since`. */
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
    )
    SELECT typical_ms::float8 AS "typicalMs",
      (SELECT count(*) FROM exchanges WHERE started_at BETWEEN span.first AND span.last)::float8 / nullif(runs, 0) AS "refreshesEach",
      (SELECT count(DISTINCT holder)::int FROM (SELECT holder FROM exchanges
        WHERE started_at BETWEEN span.last - interval '1 hour' AND span.last AND purpose = 'run'
        ORDER BY started_at DESC LIMIT ${asked}) latest) AS workers
    FROM span`;
  return figures;
}
