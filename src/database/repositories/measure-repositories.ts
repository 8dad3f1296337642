import type { DamageState } from '../../domain/damage.ts';
import type { Database } from '../client.ts';

/** What is on record of one repository. */
export interface RepositoryFigures {
  /** Random; tells nothing of the person. */
  id: string;
  /** Snapshots of runs that were not forgotten. */
  snapshots: number;
  /** When the run of the newest snapshot ended, and its counts. */
  latestAt: Date | null;
  counts: Record<string, number> | null;
  /** Whether it is there and no damage is known; null where it was never verified. */
  sound: boolean | null;
}

/** Every repository with what its snapshots were when they were made. */
export async function measureRepositories(database: Database): Promise<RepositoryFigures[]> {
  return database.$queryRaw<RepositoryFigures[]>`
    SELECT repositories.id, coalesce(kept.snapshots, 0)::int AS snapshots, kept.at AS "latestAt", kept.counts,
      CASE WHEN v.damage_state = ${'gone' satisfies DamageState} THEN false WHEN v.checked_at IS NOT NULL THEN v.damage IS NULL END AS sound
    FROM repositories LEFT JOIN verifications v USING (user_id) LEFT JOIN (
      SELECT user_id, count(*) AS snapshots, max(finished_at) AS at,
        (array_agg(runs.counts ORDER BY finished_at DESC))[1] AS counts
      FROM runs JOIN plans ON plans.id = plan_id
      WHERE snapshot_id IS NOT NULL AND snapshot_forgotten_at IS NULL AND finished_at IS NOT NULL
      GROUP BY user_id) kept USING (user_id)
    ORDER BY repositories.id`;
}
