import type { Database } from '../client.ts';
import { runsEnded } from '../records/tallies.ts';

export interface RunFacts {
  /** Runs with a lease that has not expired. */
  running: number;
  /** Runs whose lease expired before `lapsedBefore` and that were not returned to the queue. */
  lapsed: number;
  /** Queued runs that were due before `waitingBefore`. */
  waiting: number;
  /** Plans whose night was due before `nightBefore` and was not opened. */
  unopened: number;
  ended: number;
  partial: number;
  failed: number;
  /** The most frequent error of those that failed. */
  errorCode: string | null;
}

/** Where runs stand, and how those came out that ended since `endedSince`; the other moments say from when on something is late. */
export async function inspectRuns(
  database: Database,
  times: { at: Date; lapsedBefore: Date; waitingBefore: Date; nightBefore: Date; endedSince: Date },
): Promise<RunFacts> {
  const { at, lapsedBefore, waitingBefore, nightBefore, endedSince } = times;
  const [facts] = await database.$queryRaw<[RunFacts]>`
    WITH ended AS MATERIALIZED (${runsEnded(endedSince)})
    SELECT count(*) FILTER (WHERE state = 'running' AND lease_until >= ${at})::int AS running,
      count(*) FILTER (WHERE state = 'running' AND lease_until < ${lapsedBefore})::int AS lapsed,
      count(*) FILTER (WHERE state = 'queued' AND due_at < ${waitingBefore})::int AS waiting,
      (SELECT count(*)::int FROM plans p JOIN grants g ON g.id = p.grant_id
        WHERE NOT p.paused AND g.state IN ('active', 'suspect') AND p.next_due_at < ${nightBefore}) AS unopened,
      (SELECT coalesce(sum(n), 0)::int FROM ended WHERE state IN ('succeeded', 'partial', 'failed')) AS ended,
      (SELECT coalesce(sum(n), 0)::int FROM ended WHERE state = 'partial') AS partial,
      (SELECT coalesce(sum(n), 0)::int FROM ended WHERE state = 'failed') AS failed,
      (SELECT mode() WITHIN GROUP (ORDER BY error_code) FROM runs WHERE state = 'failed' AND finished_at > ${endedSince}) AS "errorCode"
    FROM runs WHERE state IN ('running', 'queued')`;
  return facts;
}

/** The locations of repositories that were completely made and are not due to be erased. */
export async function listMadeRepositories(
  database: Database,
  at: Date,
): Promise<{ location: string; store: string | null }[]> {
  return database.repository.findMany({
    where: { recoveryKeyFile: { not: null }, OR: [{ eraseAt: null }, { eraseAt: { gt: at } }] },
    select: { location: true, store: true },
    orderBy: { createdAt: 'asc' },
  });
}

/**
 * The people who had a run fail since then because a row had been put back, at most so many; null, which stands for everybody, where
 * there are no more people than that.
 */
export async function listReplayedOnRecord(
  database: Database,
  { since, most }: { since: Date; most: number },
): Promise<string[] | null> {
  const first = await database.user.findMany({ take: most + 1, select: { id: true } });
  if (first.length <= most) return null;
  const rows = await database.$queryRaw<{ userId: string }[]>`
    SELECT DISTINCT plans.user_id AS "userId" FROM runs JOIN plans ON plans.id = plan_id
    WHERE runs.state = 'failed' AND finished_at > ${since} AND error_code = 'seal/replayed' LIMIT ${most}`;
  return rows.map(({ userId }) => userId);
}
