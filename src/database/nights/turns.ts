import { lightRun, type Places } from '../../domain/places.ts';
import { farMore, leastTurn, lengthOfTurn, placesAfterTurn, usualPart } from '../../domain/turns.ts';
import type { Database, Transaction } from '../client.ts';
import { Prisma } from '../generated/client.ts';
import { grouped } from '../grouped.ts';
import { type ClaimedRun, canBeClaimed, claimedBy } from './run-leases.ts';

/** The host that the files of a row of `plans` are on, and its port where it has one; empty where they are nowhere. */
export const hostOfPlan = Prisma.raw(
  `coalesce(substring(plans.sources -> 0 ->> 'url' FROM '^[a-z]+://(?:[^/@]*@)?([^/]+)'), '')`,
);

/** Whether the next run of a row of `plans` will bring much, by its last backup. */
export const isHeavyOfPlan = Prisma.sql`NOT coalesce((
  SELECT (last.counts ->> 'entries')::numeric <= ${lightRun.entries} AND (last.counts ->> 'dataAdded')::numeric <= ${lightRun.bytes}
  FROM runs last WHERE last.plan_id = plans.id AND last.snapshot_id IS NOT NULL ORDER BY last.queued_at DESC LIMIT 1), false)`;

/** How many runs are looked at to find out what is usual; fewer than the least say nothing. */
const runsAsked = { most: 100, least: 5 };

/** How long a run may keep a worker now before it lets others go first, in milliseconds (see src/domain/turns.ts). */
export async function findLengthOfTurn(database: Transaction, turnMs: number): Promise<number> {
  const [found] = await database.$queryRaw<{ usualMs: number | null }[]>`
    SELECT CASE WHEN count(*) >= ${runsAsked.least} THEN percentile_cont(${usualPart}::float) WITHIN GROUP (ORDER BY worked_ms) END AS "usualMs"
    FROM (SELECT worked_ms FROM runs WHERE state IN ('succeeded', 'partial') AND finished_at IS NOT NULL
      ORDER BY finished_at DESC LIMIT ${runsAsked.most}) AS last`;
  return lengthOfTurn({ usualMs: found?.usualMs ?? null, turnMs });
}

interface NextRuns extends Places {
  holder: string;
  at: Date;
  turnMs: number;
  /** How many this worker has places for. */
  wanted: number;
}

/** What a worker got: at most as many as it wanted. `full`: it got none, but runs are left of a kind of which it has enough in hand. */
interface Claimed {
  runs: ClaimedRun[];
  full: boolean;
}

/** How many runs beyond those wanted are looked at, since others may have locked the first ones. */
const spareRuns = 8;
/** Others claim at the same time, and what was seen waiting may be theirs by now. */
const mostTries = 200;

/**
 * Takes the leases of the runs whose turn it is (see src/domain/turns.ts), all in one statement. Among them, runs of the server with the
 * fewest under way come first, so that no server has the night for itself. A worker has at most `heavyRuns` heavy ones; runs that have
 * had a turn before count as heavy too, and it has a quarter fewer of them. That holds as long as one worker makes one claim at a time.
 * Claims of several workers do not wait for each other: each passes over what another is about to take.
 */
export async function claimNextRuns(database: Database, input: NextRuns): Promise<Claimed> {
  for (let tries = 0; tries < mostTries; tries++) {
    const rows = await database.$queryRaw<Row[]>(claimOf(input, 'passing over'));
    const { waiting = 0, full = false } = rows[0] ?? {};
    const runs = rows.flatMap(claimedFrom);
    if (runs.length > 0 || waiting === 0) return { runs, full: runs.length === 0 && full };
    // Others were just claiming all there are, or something else has them locked, which may take a while.
    const waited = await database.$queryRaw<Row[]>(claimOf({ ...input, wanted: 1 }, 'waiting'));
    const got = waited.flatMap(claimedFrom);
    if (got.length > 0) return { runs: got, full: false };
  }
  return { runs: [], full: false };
}

interface Row extends Omit<ClaimedRun, 'id'> {
  id: string | null;
  /** How many could be had, up to those that are looked at. */
  waiting: number;
  full: boolean;
}

function claimedFrom({ waiting: _, full: _full, id, ...run }: Row): ClaimedRun[] {
  return id === null ? [] : [{ id, ...run }];
}

function claimOf(
  { holder, at, concurrency, heavyRuns, turnMs, wanted }: NextRuns,
  locked: 'passing over' | 'waiting',
): Prisma.Sql {
  const looked = locked === 'waiting' ? 1 : wanted + spareRuns;
  const hadATurn = Prisma.sql`worked_ms >= ${leastTurn(turnMs)}::float`;
  const heavyPlaces = heavyRuns < concurrency ? heavyRuns : null;
  const isHeld = Prisma.sql`state = 'running' AND lease_until >= ${at}`;
  const waits = Prisma.sql`runs.state = 'queued' AND runs.heavy = kinds.heavy AND runs.host = kinds.host AND runs.due_at <= ${at}
    AND runs.plan_id <> ALL (ARRAY(SELECT plan_id FROM runs WHERE ${isHeld}))`;
  const columns = Prisma.sql`id, plan_id, state, fence, host, heavy OR ${hadATurn} AS weighs, ${hadATurn} AS turned, turn_at, queued_at`;
  // Only the first of each kind are looked at, by the index of waiting runs, however many there are. A claim locks the plan (see `claimRun`) and the
  // run, as they are now: a run that another claim has taken since the statement began is none of these any more.
  return Prisma.sql`
    WITH RECURSIVE kinds AS (
      (SELECT heavy, host FROM runs WHERE state = 'queued' ORDER BY heavy, host LIMIT 1)
      UNION ALL
      SELECT other.* FROM kinds CROSS JOIN LATERAL (
        SELECT heavy, host FROM runs WHERE state = 'queued' AND (heavy, host) > (kinds.heavy, kinds.host) ORDER BY heavy, host LIMIT 1) other
    ), busy AS (
      SELECT host, count(*) AS held FROM runs WHERE ${isHeld} GROUP BY host
    ), mine AS (
      SELECT heavy_left, turned_left, coalesce(heavy_left <= 0, false) AS no_heavy, coalesce(heavy_left <= 0, false) OR turned_left <= 0 AS no_turned FROM (
        SELECT ${heavyPlaces}::int - count(*) AS heavy_left, ${placesAfterTurn(heavyRuns)}::int - count(*) FILTER (WHERE ${hadATurn}) AS turned_left
        FROM runs WHERE ${isHeld} AND lease_holder = ${holder} AND (heavy OR ${hadATurn})) held
    ), seen AS (
      SELECT one.*, false AS is_full FROM kinds CROSS JOIN mine CROSS JOIN LATERAL (
        SELECT ${columns} FROM runs
        WHERE ${waits} AND NOT (mine.no_heavy AND kinds.heavy) AND (NOT mine.no_turned OR NOT ${hadATurn})
        ORDER BY turn_at, queued_at LIMIT ${looked}::int) one
      UNION ALL
      SELECT one.*, true FROM kinds CROSS JOIN mine CROSS JOIN LATERAL (
        SELECT ${columns} FROM runs
        WHERE ${waits} AND mine.no_turned AND (mine.no_heavy AND kinds.heavy OR ${hadATurn}) LIMIT 1) one
      UNION ALL
      SELECT ${columns}, mine.no_turned AND (mine.no_heavy AND heavy OR ${hadATurn}) FROM runs CROSS JOIN mine
      WHERE state = 'running' AND ${canBeClaimed(at)}
    ), of_plans AS (
      SELECT *, row_number() OVER (PARTITION BY plan_id ORDER BY turn_at, queued_at) AS nth_of_plan FROM seen WHERE NOT is_full
    ), placed AS (
      SELECT of_plans.*, turn_at > ${at} AS early, coalesce(held, 0) + row_number() OVER (PARTITION BY host ORDER BY turn_at, queued_at) AS place
      FROM of_plans LEFT JOIN busy USING (host) WHERE nth_of_plan = 1
    ), next AS (
      SELECT * FROM placed ORDER BY early, place, turn_at, queued_at LIMIT ${looked}::int
    ), locked AS (
      SELECT next.* FROM next JOIN plans ON plans.id = next.plan_id JOIN runs ON runs.id = next.id
      WHERE runs.state = next.state AND runs.fence = next.fence
      ORDER BY early, place, next.turn_at, next.queued_at LIMIT ${wanted}::int
      FOR NO KEY UPDATE OF plans, runs ${locked === 'waiting' ? Prisma.empty : Prisma.sql`SKIP LOCKED`}
    ), counted AS (
      SELECT *, count(*) FILTER (WHERE weighs) OVER along AS nth_that_weighs, count(*) FILTER (WHERE turned) OVER along AS nth_turned
      FROM locked WINDOW along AS (ORDER BY early, place, turn_at, queued_at ROWS UNBOUNDED PRECEDING)
    ), fitting AS MATERIALIZED (
      SELECT counted.id, counted.state FROM counted CROSS JOIN mine
      WHERE (NOT weighs OR coalesce(nth_that_weighs <= heavy_left, true)) AND (NOT turned OR nth_turned <= turned_left)
        AND plan_is_free(counted.plan_id, counted.id, ${at})
    ), claimed AS (
      UPDATE runs SET ${claimedBy({ holder, at, was: Prisma.raw('fitting.state') })}
      FROM fitting WHERE runs.id = fitting.id AND ${canBeClaimed(at)}
      RETURNING runs.id, plan_id, fence, attempt, tried_until, fitting.state AS was
    ), told AS (
      INSERT INTO events (subject_kind, subject_id, "from", "to", at, by)
      SELECT 'run', id, was, 'running', ${at}, ${`worker:${holder}`} FROM claimed
    )
    SELECT (SELECT count(*)::int FROM next) AS waiting, (SELECT coalesce(bool_or(is_full), false) FROM seen) AS "full",
      got.id, got.plan_id AS "planId", user_id AS "userId", fence, attempt, tried_until AS "triedUntil"
    FROM (VALUES (1)) AS one LEFT JOIN (claimed AS got JOIN plans ON plans.id = got.plan_id) ON true`;
}

export interface RunClaims {
  /**
   * The run whose turn it is; null where there is none, `full` where all that wait are of a kind of which this worker has enough in hand.
   * Callers that ask at the same time share a statement; those that come meanwhile share the next one.
   */
  next(input: Omit<NextRuns, 'wanted'>): Promise<ClaimedRun | 'full' | null>;
}

/** Makes the claims of one process one after the other: made at once, they would wait for each other's rows. */
export function openRunClaims(database: Database): RunClaims {
  const next = grouped<Omit<NextRuns, 'wanted'>, ClaimedRun | 'full'>(async (inputs) => {
    const [last] = inputs.slice(-1);
    if (last === undefined) return [];
    const taken: ClaimedRun[] = [];
    let full = false;
    while (taken.length < inputs.length) {
      const more = await claimNextRuns(database, { ...last, wanted: inputs.length - taken.length });
      if (more.runs.length === 0) {
        full = more.full;
        break;
      }
      taken.push(...more.runs);
    }
    return inputs.map((_, index) => taken[index] ?? (full ? 'full' : undefined));
  });
  return { next: async (input) => (await next(input)) ?? null };
}

/** A run that has waited longer than this is not just about to be claimed by a free worker. */
const graceMs = 2_000;
interface GivingWay extends Omit<NextRuns, 'wanted'> {
  /** Of runs of this worker, for how long its machine had no processor for them since it took them. */
  heldUp: readonly { id: string; ms: number }[];
}

interface GivenWay {
  runIds: string[];
  /** When the turn of this worker's next run ends, if it needs all of it, in milliseconds from now; null if there is none. */
  nextMs: number | null;
}

/**
 * The runs of this worker that have to let others go first, the longest first: those that were worked on for a whole turn, and for as long
 * as in all their previous turns together, so that a run that has to start anew each time still finishes. Time in which this worker's
 * machine had no processor for a run is not counted, up to half of it; for other workers that time is not known.
 *
 * As many give way as there are waiting runs that have no other place and would get this one, by the limits of a worker, and that either
 * have their turn now, or are nights that have had far less of a worker (a night that has had none waits for its turn). So a run that takes
 * a little longer than usual never waits for one that takes very long.
 */
export async function listRunsToGiveWay(
  database: Database,
  { holder, at, concurrency, heavyRuns, turnMs, heldUp }: GivingWay,
): Promise<GivenWay> {
  const lengthMs = await findLengthOfTurn(database, turnMs);
  const since = new Date(at.getTime() - graceMs);
  const [turned, afterTurn] = [leastTurn(turnMs), placesAfterTurn(heavyRuns)];
  const mostHeavy = heavyRuns < concurrency ? heavyRuns : null;
  const waiting = Prisma.sql`runs.worked_ms >= ${turned}::float`;
  // Whether there is a place for what waits, in all, among the heavy ones, and among those that have had a turn, given what is in hand.
  const fits = (held: Prisma.Sql, weighing: Prisma.Sql, after: Prisma.Sql) => Prisma.sql`(${held} < ${concurrency}::int
    AND (NOT (runs.heavy OR ${waiting}) OR coalesce(${weighing} < ${mostHeavy}::int, true)) AND (NOT ${waiting} OR ${after} < ${afterTurn}::int))`;
  const rows = await database.$queryRaw<{ id: string | null; nextMs: number | null }[]>`
    WITH held AS (
      SELECT id, holder, greatest(${lengthMs}::float, worked_ms) - stint_ms AS left_ms, had_ms, worked_ms, stint_ms, weighs::int AS weighs, turned::int AS turned, count(*) OVER of_holder AS held,
        count(*) FILTER (WHERE weighs) OVER of_holder AS weighing, count(*) FILTER (WHERE turned) OVER of_holder AS after_turn
      FROM (
        SELECT runs.id, lease_holder AS holder, worked_ms, worked_ms + since_ms AS had_ms, since_ms - least(coalesce(known.ms, 0), since_ms / 2) AS stint_ms,
          heavy OR ${waiting} AS weighs, ${waiting} AS turned
        FROM runs LEFT JOIN unnest(${heldUp.map(({ id }) => id)}::uuid[], ${heldUp.map(({ ms }) => ms)}::float[]) AS known (id, ms) ON known.id = runs.id
        CROSS JOIN LATERAL (SELECT extract(epoch FROM ${at}::timestamptz - claimed_at) * 1000 AS since_ms) since
        WHERE state = 'running' AND lease_until >= ${at}) runs
      WINDOW of_holder AS (PARTITION BY holder)
    ), over AS (
      SELECT * FROM held WHERE left_ms <= 0
    ), counted AS (
      SELECT id, holder, had_ms, (SELECT count(*) FROM (SELECT FROM runs WHERE ${canBeClaimed(at)} AND due_at <= ${since}
          AND (turn_at <= ${since} OR (trigger = 'schedule' AND worked_ms > 0 AND worked_ms * ${farMore} < over.had_ms))
          AND ${fits(Prisma.raw('over.held - 1'), Prisma.raw('over.weighing - over.weighs'), Prisma.raw('over.after_turn - over.turned'))}
          AND NOT ${fits(Prisma.raw('over.held'), Prisma.raw('over.weighing'), Prisma.raw('over.after_turn'))}
        LIMIT (SELECT count(*) FROM over)) waiting) AS waiting
      FROM over
    )
    SELECT (SELECT min(left_ms)::float FROM held WHERE holder = ${holder} AND left_ms > 0) AS "nextMs", giving.id
    FROM (VALUES (1)) AS one LEFT JOIN (
      SELECT * FROM (SELECT *, row_number() OVER (ORDER BY had_ms DESC, id) AS place FROM counted WHERE waiting > 0) placed
      WHERE place <= waiting AND holder = ${holder}) giving ON true
    ORDER BY place`;
  return { runIds: rows.flatMap(({ id }) => id ?? []), nextMs: rows[0]?.nextMs ?? null };
}

/** Says of runs that have not ended which host their files are on, where an older version queued them and did not: until then these count as of one host. */
export async function nameHosts(database: Database): Promise<void> {
  await database.$executeRaw`
    UPDATE runs SET host = ${hostOfPlan} FROM plans
    WHERE plans.id = plan_id AND runs.state IN ('queued', 'running') AND runs.host = '' AND ${hostOfPlan} <> ''`;
}
