import type { Database } from '../client.ts';
import { Prisma } from '../generated/client.ts';

const { raw, sql } = Prisma;

/** The tables of tallies with the columns that say what is counted, and the moment of it. */
const tallies = [
  { table: raw('grant_tallies'), kind: ['state', 'reason'], moment: null },
  { table: raw('run_tallies'), kind: ['night', 'of_night', 'state', 'queued', 'ended'], moment: raw('ended') },
  { table: raw('exchange_tallies'), kind: ['started', 'verdict'], moment: raw('started') },
] as const;

/**
 * Merges rows that count the same, for what happened since then: triggers add one row for each change (migration tallies). No sum
 * changes, and several processes may do it at once.
 */
export async function foldTallies(database: Database, { since }: { since: Date }): Promise<void> {
  for (const { table, kind, moment } of tallies) {
    const columns = raw(kind.join(', '));
    const recent = moment === null ? sql`` : sql`WHERE ${moment} >= ${since}`;
    await database.$executeRaw`
      WITH many AS (
        SELECT ${columns}, array_agg(id) AS ids FROM ${table} ${recent} GROUP BY ${columns} HAVING count(*) > 1 OR sum(n) = 0
      ), gone AS (
        DELETE FROM ${table} t USING (SELECT unnest(ids) AS id FROM many) folded WHERE t.id = folded.id RETURNING t.*
      )
      INSERT INTO ${table} (${columns}, n) SELECT ${columns}, sum(n) FROM gone GROUP BY ${columns} HAVING sum(n) <> 0`;
  }
}

/** Deletes what is counted of moments before then. */
export async function forgetTallies(database: Database, { before }: { before: Date }): Promise<void> {
  for (const { table, moment } of tallies)
    if (moment !== null) await database.$executeRaw`DELETE FROM ${table} WHERE ${moment} < ${before}`;
}

/** Runs that ended since the minute of `since`, by what became of them. */
export const runsEnded = (since: Date) => sql`
  SELECT state, sum(n)::int AS n FROM run_tallies WHERE ended >= date_bin('1 minute', ${since}::timestamptz, 'epoch') GROUP BY state`;
