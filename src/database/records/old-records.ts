import type { Database } from '../client.ts';

/** What one statement deletes: the oldest rows that ended before then, up to a limit. Rows that others have locked wait. */
export interface OldRecords {
  readonly before: Date;
  readonly limit: number;
}

/** Of each consent the latest uses stay, however old they are: what a lost or refused answer means is judged by them. */
const usesThatStay = 10;

/**
 * Deletes runs with what they found, and their events. Those stay whose snapshot is still there, or whose loss nobody has looked at;
 * of each plan the latest of each outcome, and the `latest` that wrote a snapshot, or did not; and those whose data waits for a prune.
 * Answers how many went.
 */
export async function forgetRuns(
  database: Database,
  { before, limit, latest }: OldRecords & { latest: number },
): Promise<number> {
  return database.$executeRaw`
    WITH old AS (
      SELECT r.id FROM runs r JOIN plans p ON p.id = r.plan_id LEFT JOIN repositories s ON s.user_id = p.user_id
      WHERE r.finished_at < ${before} AND r.state NOT IN ('queued', 'running') AND r.lease_until IS NULL
        AND (r.snapshot_id IS NULL OR r.snapshot_forgotten_at IS NOT NULL)
        AND (r.alarm IS NULL OR r.alarm_seen_at IS NOT NULL)
        AND EXISTS (SELECT FROM runs n WHERE n.plan_id = r.plan_id AND n.state = r.state AND n.finished_at > r.finished_at
          AND (r.snapshot_id IS NULL OR n.snapshot_id IS NOT NULL))
        AND (SELECT count(*) FROM (SELECT FROM runs n WHERE n.plan_id = r.plan_id AND n.finished_at > r.finished_at
          AND (r.snapshot_id IS NULL OR n.snapshot_id IS NOT NULL) LIMIT ${latest}) newer) >= ${latest}
        AND (s.id IS NULL OR coalesce(greatest(r.snapshot_forgotten_at,
          CASE WHEN r.fence > 1 OR r.state IN ('failed', 'cancelled') THEN r.started_at END), '-infinity')
          <= coalesce(s.pruned_at, '-infinity'))
      ORDER BY r.finished_at LIMIT ${limit} FOR UPDATE OF r SKIP LOCKED
    ), told AS (
      DELETE FROM events USING old WHERE subject_kind = 'run' AND subject_id = old.id::text
    )
    DELETE FROM runs USING old WHERE runs.id = old.id`;
}

/** Deletes uses of consents that were answered, but for the latest of each. Answers how many went. */
export async function forgetUses(database: Database, { before, limit }: OldRecords): Promise<number> {
  return database.$executeRaw`
    DELETE FROM exchanges WHERE id IN (
      SELECT e.id FROM exchanges e JOIN grants g ON g.id = e.grant_id
      WHERE e.started_at < ${before} AND e.answered_at IS NOT NULL AND e.fence <= g.fence - ${usesThatStay}::int
      ORDER BY e.started_at LIMIT ${limit} FOR UPDATE OF e SKIP LOCKED)`;
}

/**
 * Deletes events, but for those that are the only record of something: how tokens ended, what was erased of a person, and which provider
 * moved. Answers how many went.
 */
export async function forgetEvents(database: Database, { before, limit }: OldRecords): Promise<number> {
  return database.$executeRaw`
    DELETE FROM events WHERE id IN (
      SELECT id FROM events WHERE at < ${before} AND subject_kind NOT IN ('user', 'provider')
        AND NOT (subject_kind = 'grant' AND "to" IN ('revoked', 'expired', 'shredded'))
      ORDER BY at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
}

/** Deletes notices that were delivered or given up. Answers how many went. */
export async function forgetNotices(database: Database, { before, limit }: OldRecords): Promise<number> {
  return database.$executeRaw`
    DELETE FROM notices WHERE id IN (
      SELECT id FROM notices WHERE created_at < ${before} AND next_attempt_at IS NULL
      ORDER BY created_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
}

/** Deletes restores to the source, which have ended long since. Answers how many went. */
export async function forgetRestores(database: Database, { before, limit }: OldRecords): Promise<number> {
  return database.$executeRaw`
    DELETE FROM restores WHERE id IN (
      SELECT id FROM restores WHERE asked_at < ${before} AND (state <> 'running' OR told_at < ${before})
      ORDER BY asked_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
}

/**
 * Deletes what the audit says of people, a year later at the earliest, which a trigger in the database holds too. What it says of the
 * service stays, and so does who signed in as an operator. Answers how many went.
 */
export async function forgetAudit(database: Database, { before, limit }: OldRecords): Promise<number> {
  return database.$executeRaw`
    DELETE FROM audit WHERE id IN (
      SELECT id FROM audit WHERE at < least(${before}::timestamptz, now() - interval '365 days') AND user_id IS NOT NULL AND act <> 'operator-signed-in'
      ORDER BY at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
}
