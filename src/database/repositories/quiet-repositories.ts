import type { Database } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/**
 * A condition on repositories `r`: no run of the person is under way, or due until then. Runs that are to come are on record for their
 * plans; none comes of a plan that is paused, or whose consent has ended: its moment passes and stays.
 */
export const isQuiet = (until: Date) => Prisma.sql`
  NOT EXISTS (SELECT FROM plans p JOIN grants g ON g.id = p.grant_id
    WHERE p.user_id = r.user_id AND NOT p.paused AND p.next_due_at < ${until} AND g.state IN ('active', 'suspect'))
  AND NOT EXISTS (SELECT FROM plans p JOIN runs n ON n.plan_id = p.id
    WHERE p.user_id = r.user_id AND (n.state = 'running' OR n.state = 'queued' AND n.due_at < ${until}))`;

/** Whether the repository of this person is so still. */
export async function isStillQuiet(
  database: Database,
  { userId, until }: { userId: string; until: Date },
): Promise<boolean> {
  const found = await database.$queryRaw<unknown[]>`
    SELECT FROM repositories r WHERE r.user_id = ${userId}::uuid AND ${isQuiet(until)}`;
  return found.length > 0;
}
