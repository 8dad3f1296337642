import { requestedUntil } from '../domain/run-tries.ts';
import { type Database, inTransaction } from './client.ts';
import { saveEvents } from './events.ts';
import { saveNextNight } from './plans.ts';

/** Longer than any night lies ahead, any run waits and any lease lasts. */
const farMs = 4 * 86_400_000;
const plansAtOnce = 500;

export interface BroughtBack {
  plans: number;
  runs: number;
}

/**
 * Brings back what lies so far ahead that only a clock which was wrong can have put it there: nights, runs that wait, leases, and the ends of
 * runs, behind which nothing that comes later would count. Answers how many there were.
 */
export async function bringBackFromAhead(
  database: Database,
  { at, by }: { at: Date; by: string },
): Promise<BroughtBack> {
  const far = new Date(at.getTime() + farMs);
  const change = { to: 'brought back', reason: 'a clock was ahead', at, by };
  const plans = await inTransaction(database, async (transaction) => {
    const found = await transaction.plan.findMany({
      where: { paused: false, nextDueAt: { gt: far } },
      orderBy: { id: 'asc' },
      take: plansAtOnce,
    });
    for (const plan of found) await saveNextNight(transaction, plan, at);
    await saveEvents(
      transaction,
      'plan',
      found.map(({ id }) => id),
      change,
    );
    return found.length;
  });
  const runs = await inTransaction(database, async (transaction) => {
    const rows = await transaction.$queryRaw<{ id: string }[]>`
      UPDATE runs SET due_at = least(due_at, ${at}), turn_at = least(turn_at, ${at}), tried_until = least(tried_until, ${requestedUntil(at)}),
        started_at = least(started_at, ${at}), finished_at = least(finished_at, ${at}),
        lease_until = CASE WHEN lease_until > ${far} THEN ${at} ELSE lease_until END
      WHERE (state = 'queued' AND due_at > ${far}) OR (state = 'running' AND lease_until > ${far}) OR finished_at > ${far}
      RETURNING id`;
    const ids = rows.map(({ id }) => id);
    await saveEvents(transaction, 'run', ids, change);
    return ids.length;
  });
  return { plans, runs };
}
