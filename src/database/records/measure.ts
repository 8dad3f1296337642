import type { Database } from '../client.ts';
import { runsEnded } from './tallies.ts';

/** Figures of the whole installation, without anything of one person. */
export interface Measurements {
  /** Grants in each state. */
  grants: Record<'active' | 'suspect' | 'needs_consent' | 'withdrawn', number>;
  /** Grants that are not withdrawn and whose rotated token was lost. */
  rotationsLost: number;
  /** The first moment at which a living grant ends unless it is used; null where there is none. */
  idleDeadline: Date | null;
  /** The first moment at which a living grant ends in any case; null where none has such an end. */
  maxDeadline: Date | null;
  /** Runs in each state; those that ended: since `since`. */
  runs: Record<'queued' | 'running' | 'succeeded' | 'partial' | 'failed' | 'skipped' | 'cancelled', number>;
  /** Since when the queued run that is due the longest has been due; null where none is. */
  oldestDueAt: Date | null;
  /** When the newest complete run ended; null where there is none. */
  lastSuccessAt: Date | null;
  /** Exchanges since `since`, by verdict; without an answer: `none`. */
  exchanges: Record<string, number>;
  /** Every provider and client that ever had a circuit, and whether it is open. */
  circuits: { issuer: string; open: boolean }[];
}

interface Row extends Omit<Measurements, 'circuits' | 'grants' | 'runs' | 'exchanges'> {
  grants: Record<string, number> | null;
  runs: Record<string, number> | null;
  exchanges: Record<string, number> | null;
}

/** Measures the installation at this moment; what ended counts since the minute of `since`. */
export async function measure(database: Database, { at, since }: { at: Date; since: Date }): Promise<Measurements> {
  const [row] = await database.$queryRaw<[Row]>`
    SELECT
      (SELECT jsonb_object_agg(state, n) FROM (SELECT state, sum(n) AS n FROM grant_tallies GROUP BY state) g) AS grants,
      (SELECT coalesce(sum(n), 0)::int FROM grant_tallies WHERE state <> 'withdrawn' AND reason = 'lost_rotation') AS "rotationsLost",
      (SELECT min(idle_deadline) FROM grants WHERE state IN ('active', 'suspect')) AS "idleDeadline",
      (SELECT min(max_deadline) FROM grants WHERE state IN ('active', 'suspect')) AS "maxDeadline",
      (SELECT jsonb_object_agg(state, n) FROM (
        SELECT state, count(*)::int AS n FROM runs WHERE state IN ('queued', 'running') GROUP BY state
        UNION ALL ${runsEnded(since)}) r) AS runs,
      (SELECT min(due_at) FROM runs WHERE state = 'queued' AND due_at <= ${at}) AS "oldestDueAt",
      (SELECT max(finished_at) FROM runs WHERE state = 'succeeded') AS "lastSuccessAt",
      (SELECT jsonb_object_agg(verdict, n) FROM (
        SELECT verdict, sum(n) AS n FROM exchange_tallies WHERE started >= date_bin('1 minute', ${since}::timestamptz, 'epoch') GROUP BY verdict
        UNION ALL SELECT 'none', count(*) FROM exchanges WHERE answered_at IS NULL AND started_at > ${since} HAVING count(*) > 0) e
        WHERE n <> 0) AS exchanges`;
  const circuits = await database.circuit.findMany({
    select: { issuer: true, open: true },
    orderBy: [{ issuer: 'asc' }, { clientId: 'asc' }],
  });
  return {
    ...row,
    grants: { active: 0, suspect: 0, needs_consent: 0, withdrawn: 0, ...row.grants },
    runs: { queued: 0, running: 0, succeeded: 0, partial: 0, failed: 0, skipped: 0, cancelled: 0, ...row.runs },
    exchanges: { ...row.exchanges },
    circuits,
  };
}
