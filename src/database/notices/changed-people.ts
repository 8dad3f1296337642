import { warnings } from '../../domain/deadlines.ts';
import type { Hours } from '../../domain/hours.ts';
import { overdueMs } from '../../domain/protection.ts';
import type { Database } from '../client.ts';
import { Prisma } from '../generated/client.ts';
import { lookedAt } from '../repositories/verification-views.ts';

/** Those to whose consent, plan, runs or snapshots something happened after `since`, by what is on record of it; in no order. */
export async function listChangedPeople(database: Database, since: Date): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    WITH changed AS MATERIALIZED (
      SELECT DISTINCT subject_kind AS kind, subject_id::uuid AS id FROM events
      WHERE at > ${since} AND subject_kind IN ('grant', 'plan', 'run', 'user')
    )
    SELECT plans.user_id AS id FROM changed JOIN runs ON runs.id = changed.id JOIN plans ON plans.id = runs.plan_id WHERE kind = 'run'
    UNION SELECT user_id FROM changed JOIN plans ON plans.id = changed.id WHERE kind = 'plan'
    UNION SELECT user_id FROM changed JOIN grants ON grants.id = changed.id WHERE kind = 'grant'
    UNION SELECT users.id FROM changed JOIN users ON users.id = changed.id WHERE kind = 'user'`;
  return rows.map(({ id }) => id);
}

/** The hours that plans have: from each to the next one in their index, however many plans have it. */
export async function listHours(database: Database): Promise<Hours[]> {
  return readHours(database, Prisma.empty);
}

/** Those of plans that go on: neither paused, nor of a consent that has ended. */
export async function listHoursInUse(database: Database): Promise<Hours[]> {
  return readHours(
    database,
    Prisma.sql`WHERE EXISTS (SELECT FROM plans p JOIN grants g ON g.id = p.grant_id
      WHERE p.zone = hours.zone AND p.window_start = hours.window_start AND p.window_end = hours.window_end
        AND NOT p.paused AND g.state IN ('active', 'suspect') OFFSET 0)`,
  );
}

async function readHours(database: Database, which: Prisma.Sql): Promise<Hours[]> {
  return database.$queryRaw<Hours[]>`
    WITH RECURSIVE hours AS (
      (SELECT zone, window_start, window_end FROM plans ORDER BY zone, window_start, window_end LIMIT 1)
      UNION ALL
      SELECT other.* FROM hours CROSS JOIN LATERAL (
        SELECT zone, window_start, window_end FROM plans WHERE (zone, window_start, window_end) > (hours.zone, hours.window_start, hours.window_end)
        ORDER BY zone, window_start, window_end LIMIT 1) other
    )
    SELECT zone, window_start AS "windowStart", window_end AS "windowEnd" FROM hours ${which}`;
}

/**
 * The people for whom, after `from` and up to `to`, one of the moments came at which time alone may give a reason to notify them: the warnings
 * before their consent ends, that end, and when their snapshots have not been verified for too long. In no order. The only other such moment is
 * the end of a window that brought no snapshot (`listMissedPeople`).
 */
export async function listPeopleOfMoments(
  database: Database,
  { from, to }: { from: Date; to: Date },
): Promise<string[]> {
  const before = (at: Date) => new Date(at.getTime() - overdueMs);
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT user_id AS id FROM unnest(${[0, ...warnings]}::int[]) days CROSS JOIN LATERAL (
      SELECT user_id FROM grants WHERE state IN ('active', 'suspect')
        AND max_deadline > ${from}::timestamptz + days * interval '24 hours' AND max_deadline <= ${to}::timestamptz + days * interval '24 hours') ending
    UNION SELECT user_id FROM verifications WHERE ${lookedAt} > ${before(from)} AND ${lookedAt} <= ${before(to)}`;
  return rows.map(({ id }) => id);
}

/**
 * Those whose plan has these hours, and neither a snapshot since their last window began, which is over, nor a run that failed since or is
 * under way, which would say more. Goes through the plans of these hours, each by itself, so that indexes find its runs: those of them all would be read else.
 */
export async function listMissedPeople(
  database: Database,
  { zone, windowStart, windowEnd, begunAt }: Hours & { begunAt: Date },
): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT p.user_id AS id FROM plans p
    WHERE p.zone = ${zone} AND p.window_start = ${windowStart} AND p.window_end = ${windowEnd} AND NOT p.paused
      AND NOT EXISTS (SELECT FROM runs WHERE plan_id = p.id AND state IN ('succeeded', 'partial', 'failed') AND finished_at >= ${begunAt}
        AND (state = 'failed' OR snapshot_id IS NOT NULL AND snapshot_forgotten_at IS NULL) OFFSET 0)
      AND NOT EXISTS (SELECT FROM runs WHERE plan_id = p.id AND state IN ('queued', 'running') OFFSET 0)
      AND EXISTS (SELECT FROM grants WHERE user_id = p.user_id AND state IN ('active', 'suspect') OFFSET 0)`;
  return rows.map(({ id }) => id);
}
