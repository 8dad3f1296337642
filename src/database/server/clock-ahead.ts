import { requestedUntil } from '../../domain/run-tries.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvents } from '../events.ts';
import { Prisma } from '../generated/client.ts';
import { saveNextNight } from '../nights/plans.ts';

const dayMs = 86_400_000;
/** Longer than any night lies ahead, any run waits and any lease lasts. */
const farMs = 4 * dayMs;
/** The same of what is looked at once a week. */
const weeklyFarMs = 7 * dayMs + farMs;
const plansAtOnce = 500;

export interface BroughtBack {
  plans: number;
  runs: number;
  /** Consents that were used, or refused. */
  grants: number;
}

interface Moments {
  readonly at: Date;
  readonly far: Date;
}

/**
 * Brings back what lies so far ahead that only a wrong clock can have put it there: nights, waiting runs, ends of runs and uses of consents (else
 * nothing later would count), and what was done for their people; leases, circuits, notices, and the times of restores and exports. Figures, rate
 * limits and sessions of such times are dropped. Answers how many nights, runs and consents were brought back.
 */
export async function bringBackFromAhead(
  database: Database,
  { at, by }: { at: Date; by: string },
): Promise<BroughtBack> {
  const moments = { at, far: new Date(at.getTime() + farMs) };
  const change = { to: 'brought back', reason: 'a clock was ahead', at, by };
  const plans = await inTransaction(database, async (transaction) => {
    const found = await transaction.plan.findMany({
      where: { paused: false, nextDueAt: { gt: moments.far } },
      orderBy: { id: 'asc' },
      take: plansAtOnce,
    });
    for (const plan of found) await saveNextNight(transaction, plan, at);
    const planIds = found.map(({ id }) => id);
    await saveEvents(transaction, 'plan', planIds, change);
    return found;
  });
  const runs = await inTransaction(database, async (transaction) => {
    const ids = await bringBackRuns(transaction, moments);
    await saveEvents(transaction, 'run', ids, change);
    return ids.length;
  });
  const grants = await bringBackGrants(database, moments);
  const verified = await bringBackVerifications(database, moments);
  const userIds = [...plans, ...grants, ...verified].map(({ userId }) => userId);
  await bringBackRepositories(database, userIds, moments);
  await bringBackRest(database, moments);
  return { plans: plans.length, runs, grants: grants.length };
}

/** The moment of a column of ours, or now where that lies far ahead; nothing where there is none. */
function broughtBack(column: string, { at, far }: Moments): Prisma.Sql {
  return Prisma.sql`CASE WHEN ${Prisma.raw(column)} > ${far} THEN ${at} ELSE ${Prisma.raw(column)} END`;
}

/** Sets these columns to that. */
function bringingBack(columns: readonly string[], moments: Moments): Prisma.Sql {
  return Prisma.join(columns.map((column) => Prisma.sql`${Prisma.raw(column)} = ${broughtBack(column, moments)}`));
}

async function bringBackRuns(transaction: Transaction, moments: Moments): Promise<string[]> {
  const { at, far } = moments;
  const rows = await transaction.$queryRaw<{ id: string }[]>`
    UPDATE runs SET due_at = least(due_at, ${at}), turn_at = least(turn_at, ${at}), tried_until = least(tried_until, ${requestedUntil(at)}),
      ${bringingBack(['started_at', 'finished_at', 'lease_until'], moments)}
    WHERE (state = 'queued' AND due_at > ${far}) OR (state = 'running' AND lease_until > ${far}) OR finished_at > ${far}
    RETURNING id`;
  return rows.map(({ id }) => id);
}

/** The provider is asked with each of them now: nobody knows what its answer of then was worth. */
async function bringBackGrants(database: Database, moments: Moments): Promise<{ userId: string }[]> {
  const { at, far } = moments;
  return database.$queryRaw<{ userId: string }[]>`
    WITH used AS (
      UPDATE exchanges SET ${bringingBack(['started_at', 'answered_at'], moments)} WHERE started_at > ${far} RETURNING grant_id
    )
    UPDATE grants SET ${bringingBack(['last_exchanged_at', 'suspect_since', 'lease_until'], moments)},
      next_exchange_at = CASE WHEN state <> 'withdrawn' THEN ${at}::timestamptz END,
      idle_deadline = CASE WHEN last_exchanged_at > ${far} THEN idle_deadline - (last_exchanged_at - ${at}) ELSE idle_deadline END
    WHERE id IN (SELECT grant_id FROM used) RETURNING user_id AS "userId"`;
}

async function bringBackVerifications(database: Database, moments: Moments): Promise<{ userId: string }[]> {
  const columns = ['next_at', 'read_at', 'checked_at', 'verified_at', 'found_at', 'gone_at', 'back_at', 'cleared_at'];
  return database.$queryRaw<{ userId: string }[]>`
    UPDATE verifications SET ${bringingBack(columns, moments)} WHERE next_at > ${moments.far} RETURNING user_id AS "userId"`;
}

/** What retention and prunes did for these people, and cards of anybody. */
async function bringBackRepositories(database: Database, userIds: string[], moments: Moments): Promise<void> {
  const { at, far } = moments;
  if (userIds.length > 0)
    await database.$executeRaw`
      UPDATE repositories SET ${bringingBack(['retained_at', 'pruned_at'], moments)}
      WHERE user_id = ANY(${userIds}::uuid[]) AND greatest(retained_at, pruned_at) > ${far}`;
  const weeklyFar = new Date(at.getTime() + weeklyFarMs);
  await database.repository.updateMany({ where: { cardDueAt: { gt: weeklyFar } }, data: { cardDueAt: at } });
}

async function bringBackRest(database: Database, moments: Moments): Promise<void> {
  const { at, far } = moments;
  await database.$executeRaw`
    UPDATE circuits SET ${bringingBack(['opened_at', 'next_probe_at', 'closed_at'], moments)},
      trusted_until = CASE WHEN trusted_until <= ${far} THEN trusted_until END
    WHERE greatest(opened_at, next_probe_at, closed_at, trusted_until) > ${far}`;
  await database.$executeRaw`
    UPDATE notices SET ${bringingBack(['created_at', 'next_attempt_at', 'delivered_at'], moments)}
    WHERE next_attempt_at > ${far} OR created_at > ${far}`;
  await database.$executeRaw`
    UPDATE restores SET ${bringingBack(['asked_at', 'started_at', 'told_at', 'finished_at', 'cancelled_at'], moments)}
    WHERE asked_at > ${far} OR (state = 'running' AND told_at > ${far})`;
  await database.$executeRaw`
    UPDATE state_exports SET ${bringingBack(['tried_at', 'made_at', 'lease_until'], moments)}
    WHERE greatest(tried_at, made_at, lease_until) > ${far}`;
  await database.webSession.deleteMany({ where: { endsAt: { gt: far }, createdAt: { gt: far } } });
  await database.webSession.updateMany({ where: { lastSeenAt: { gt: far } }, data: { lastSeenAt: at } });
  await database.keptFigure.deleteMany({ where: { countedAt: { gt: far } } });
  await database.rateLimit.deleteMany({ where: { fullAt: { gt: far } } });
}
