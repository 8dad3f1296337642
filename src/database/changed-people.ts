import type { Database } from './client.ts';

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
