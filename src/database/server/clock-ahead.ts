import { requestedUntil } from '../../domain/run-tries.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvents } from '../events.ts';
import { saveNextNight } from '../nights/plans.ts';

/** Longer than any night lies ahead, any run waits and any lease lasts. */
const farMs = 4 * 86_400_000;
const plansAtOnce = 500;

export interface BroughtBack {
  plans: number;
  runs: number;
}

/**
 * Brings back what lies so far ahead that only a clock which was wrong can have put it there: nights, with what was done for their people by
 * then, runs that wait, leases, and the ends of runs, behind which nothing that comes later would count; figures that were counted then, and
 * limits of rate, are dropped. Answers how many nights and runs there were.
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
    const userIds = found.map(({ userId }) => userId);
    await bringBackPeople(transaction, { userIds, at, far });
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
  await database.keptFigure.deleteMany({ where: { countedAt: { gt: far } } });
  await database.rateLimit.deleteMany({ where: { fullAt: { gt: far } } });
  return { plans, runs };
}

/** Verifications, what retention did, and uses of consents: none would come, or be missed, until that time. */
async function bringBackPeople(
  transaction: Transaction,
  { userIds, at, far }: { userIds: string[]; at: Date; far: Date },
): Promise<void> {
  if (userIds.length === 0) return;
  await transaction.$executeRaw`
    UPDATE verifications SET next_at = least(next_at, ${at}), read_at = least(read_at, ${at}), checked_at = least(checked_at, ${at}),
      verified_at = least(verified_at, ${at}), found_at = least(found_at, ${at}), cleared_at = least(cleared_at, ${at})
    WHERE user_id = ANY(${userIds}::uuid[]) AND next_at > ${far}`;
  await transaction.$executeRaw`
    UPDATE repositories SET retained_at = least(retained_at, ${at}), pruned_at = least(pruned_at, ${at})
    WHERE user_id = ANY(${userIds}::uuid[]) AND greatest(retained_at, pruned_at) > ${far}`;
  await transaction.$executeRaw`
    UPDATE grants SET idle_deadline = idle_deadline - (last_exchanged_at - ${at}), last_exchanged_at = ${at},
      next_exchange_at = least(next_exchange_at, ${at})
    WHERE user_id = ANY(${userIds}::uuid[]) AND last_exchanged_at > ${far}`;
}
