import type { NightProgress, Pace } from '../../domain/tonight.ts';
import { dayMs, minuteMs } from '../../durations.ts';
import type { Database } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/** How many of the runs that ended last are looked at to tell how long one takes and how servers do. */
const runsAsked = 10_000;

export interface NightSpan {
  /** Calendar dates that nights of the span may have. */
  firstDate: string;
  lastDate: string;
  from: Date;
  to: Date;
}

/** What is to come of a night: the plans that become due before it ends. */
export type NightToCome = Pick<NightProgress, 'toCome' | 'nextDueAt' | 'lastDueAt'>;

/** How far the night is, by the runs that became due in the span, whose ends are quarters of an hour. */
export async function measureNight(
  database: Database,
  { firstDate, lastDate, from, to, at }: NightSpan & { at: Date },
): Promise<Omit<NightProgress, keyof NightToCome>> {
  const [progress] = await database.$queryRaw<[Omit<NightProgress, keyof NightToCome>]>`
    WITH under_way AS (
      SELECT state, due_at, tried_until FROM runs
      WHERE state IN ('queued', 'running') AND slot = 'night' AND night BETWEEN ${firstDate} AND ${lastDate}
        AND queued_at >= ${from} AND queued_at < ${to}
    ), ended AS MATERIALIZED (
      SELECT state, sum(n)::int AS n FROM run_tallies
      WHERE of_night AND night BETWEEN ${firstDate} AND ${lastDate} AND queued >= ${from} AND queued < ${to} GROUP BY state
    )
    SELECT coalesce((SELECT n FROM ended WHERE state = 'succeeded'), 0) AS succeeded,
      coalesce((SELECT n FROM ended WHERE state = 'partial'), 0) AS partial,
      coalesce((SELECT n FROM ended WHERE state = 'failed'), 0) AS failed,
      (SELECT coalesce(sum(n), 0)::int FROM ended WHERE state IN ('skipped', 'cancelled')) AS dropped,
      count(*) FILTER (WHERE state = 'running')::int AS running,
      count(*) FILTER (WHERE state = 'queued' AND due_at <= ${at})::int AS waiting,
      count(*) FILTER (WHERE state = 'queued' AND due_at > ${at})::int AS again,
      min(due_at) FILTER (WHERE state = 'queued' AND due_at <= ${at}) AS "oldestDueAt", max(tried_until) AS "triedUntil"
    FROM under_way`;
  return progress;
}

/** Counts what is to come until then, by going through the plans of the night. */
export async function measureToCome(database: Database, { to }: { to: Date }): Promise<NightToCome> {
  const [toCome] = await database.$queryRaw<[NightToCome]>`
    SELECT count(*)::int AS "toCome", min(next_due_at) AS "nextDueAt", max(next_due_at) AS "lastDueAt"
    FROM plans JOIN grants ON grants.id = plans.grant_id
    WHERE NOT paused AND grants.state IN ('active', 'suspect') AND next_due_at < ${to}`;
  return toCome;
}

/** What ended since the minute of `since`, of any kind. */
export async function measurePace(
  database: Database,
  { at, since }: { at: Date; since: Date },
): Promise<Pace & { workers: number }> {
  const from = new Date(Math.floor(since.getTime() / minuteMs) * minuteMs);
  const [row] = await database.$queryRaw<[{ ended: number; typicalMs: number | null; workers: number }]>`
    SELECT (SELECT coalesce(sum(n), 0)::int FROM run_tallies
        WHERE ended >= ${from} AND ended <= ${at} AND state IN ('succeeded', 'partial', 'failed')) AS ended,
      (avg(extract(epoch FROM finished_at - started_at)) * 1000)::float8 AS "typicalMs",
      (SELECT count(DISTINCT lease_holder)::int FROM runs WHERE state = 'running' AND lease_until >= ${at}) AS workers
    FROM (SELECT started_at, finished_at FROM runs
      WHERE finished_at >= ${from} AND finished_at <= ${at} AND state IN ('succeeded', 'partial', 'failed')
      ORDER BY finished_at DESC LIMIT ${runsAsked}) last`;
  return { ...row, ms: at.getTime() - from.getTime() };
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

const weekMs = 7 * dayMs;

/**
 * The plans whose latest run may be in trouble, found without looking at those that are well: it is one of this week's unless the
 * nights are paused, so all paused plans are among them.
 */
const suspects = (at: Date) => Prisma.sql`(
  SELECT plan_id FROM runs WHERE state IN ('partial', 'failed') AND due_at > ${new Date(at.getTime() - weekMs)}
  UNION SELECT plan_id FROM runs WHERE state = 'queued' AND error_code IS NOT NULL
  UNION SELECT id FROM plans WHERE paused)`;

/**
 * The people with a living consent whose latest run brought not all, or waits to be tried again after a failure, grouped by
 * outcome and code, the largest group first. Whose next run is under way or asked for is in no group, nor, where nights are not paused, is
 * somebody who had none for a week.
 */
export async function groupTrouble(database: Database, at: Date): Promise<TroubleGroup[]> {
  return database.$queryRaw<TroubleGroup[]>`
    SELECT latest.state::text, latest.error_code AS "errorCode", count(*)::int AS people,
      min(coalesce(latest.finished_at, latest.queued_at)) AS since,
      min(latest.due_at) FILTER (WHERE latest.state = 'queued') AS "nextDueAt"
    FROM ${suspects(at)} suspects JOIN plans p ON p.id = suspects.plan_id JOIN grants g ON g.id = p.grant_id
    JOIN LATERAL (SELECT state, error_code, finished_at, queued_at, due_at FROM runs
      WHERE plan_id = p.id AND state NOT IN ('cancelled', 'skipped') ORDER BY queued_at DESC LIMIT 1) latest ON true
    WHERE g.state IN ('active', 'suspect')
      AND (latest.state IN ('partial', 'failed') OR (latest.state = 'queued' AND latest.error_code IS NOT NULL))
    GROUP BY 1, 2 ORDER BY people DESC, 1, 2`;
}

/** The plans of such a group, at most `limit`. */
export async function listPlansInTrouble(
  database: Database,
  { at, state, errorCode, limit }: Pick<TroubleGroup, 'state' | 'errorCode'> & { at: Date; limit: number },
): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT p.id FROM ${suspects(at)} suspects JOIN plans p ON p.id = suspects.plan_id JOIN grants g ON g.id = p.grant_id
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

/** The WebDAV servers whose runs took the longest for each request since then, the slowest first. */
export async function listSlowestServers(
  database: Database,
  { since, limit }: { since: Date; limit: number },
): Promise<ServerPace[]> {
  return database.$queryRaw<ServerPace[]>`
    WITH took AS (
      SELECT host, (counts ->> 'ms')::float8 AS ms, (counts ->> 'requests')::float8 AS requests
      FROM (SELECT host, counts FROM runs WHERE finished_at > ${since} AND state IN ('succeeded', 'partial')
        ORDER BY finished_at DESC LIMIT ${runsAsked}) r
      WHERE jsonb_typeof(counts) = 'object'
    )
    SELECT host, count(*)::int AS runs, sum(ms) / sum(requests) AS "msPerRequest"
    FROM took WHERE host <> '' AND requests > 0 AND ms IS NOT NULL
    GROUP BY host ORDER BY "msPerRequest" DESC LIMIT ${limit}`;
}

export interface NightOutcome {
  night: string;
  succeeded: number;
  partial: number;
  failed: number;
}

/**
 * What the nights from this date on came to: of each person the best run that counts for the night. The runs of nights are tallied, and
 * what was asked for besides is weighed against them.
 */
export async function listNightOutcomes(
  database: Database,
  { firstDate, lastDate }: { firstDate: string; lastDate: string },
): Promise<NightOutcome[]> {
  const ended = Prisma.sql`state IN ('succeeded', 'partial', 'failed')`;
  const rank = Prisma.sql`CASE state WHEN 'succeeded' THEN 0 WHEN 'partial' THEN 1 ELSE 2 END`;
  const tallied = Prisma.sql`FROM run_tallies WHERE night BETWEEN ${firstDate} AND ${lastDate} AND ${ended}`;
  return database.$queryRaw<NightOutcome[]>`
    WITH besides AS (
      SELECT nights.night, plan_id, min(${rank}) AS rank FROM (SELECT DISTINCT night ${tallied} AND NOT of_night) nights CROSS JOIN LATERAL (
        SELECT plan_id, state FROM runs WHERE night = nights.night AND slot < 'night' AND ${ended}
        UNION ALL SELECT plan_id, state FROM runs WHERE night = nights.night AND slot > 'night' AND ${ended}
      ) asked_for GROUP BY nights.night, plan_id
    ), better AS (
      SELECT night, besides.rank, n.rank AS of_night FROM besides LEFT JOIN LATERAL (
        SELECT ${rank} AS rank FROM runs r WHERE r.plan_id = besides.plan_id AND r.night = besides.night AND slot = 'night' AND ${ended}
      ) n ON true
      WHERE n.rank IS NULL OR besides.rank < n.rank
    ), counted AS (
      SELECT night, ${rank} AS rank, sum(n) AS n ${tallied} AND of_night GROUP BY night, state
      UNION ALL SELECT night, rank, count(*) FROM better GROUP BY night, rank
      UNION ALL SELECT night, of_night, -count(*) FROM better WHERE of_night IS NOT NULL GROUP BY night, of_night
    )
    SELECT night, coalesce(sum(n) FILTER (WHERE rank = 0), 0)::int AS succeeded, coalesce(sum(n) FILTER (WHERE rank = 1), 0)::int AS partial,
      coalesce(sum(n) FILTER (WHERE rank = 2), 0)::int AS failed
    FROM counted GROUP BY night HAVING count(*) FILTER (WHERE n <> 0) > 0 ORDER BY night`;
}
