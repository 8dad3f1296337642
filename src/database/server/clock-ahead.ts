import { dateIn } from '../../domain/nights.ts';
import { requestedUntil } from '../../domain/run-tries.ts';
import { dayMs, hourMs, minuteMs } from '../../durations.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvents } from '../events.ts';
import { Prisma } from '../generated/client.ts';
import { saveNextNight } from '../nights/plans.ts';
import { runLeaseMs } from '../nights/run-leases.ts';

/** Clocks of machines differ by less: nothing has happened later than that. */
const nearMs = 30 * minuteMs;
/** Most next nights are due within this; later ones are looked at, and stay if they are right (people may have changed their hours). */
const usualNightMs = 26 * hourMs;
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
  /** No due time lies after this. */
  readonly far: Date;
  /** Nothing has happened after this. */
  readonly near: Date;
}

/**
 * Brings back what lies so far ahead that only a wrong clock can have put it there: nights, waiting runs, ends of runs and uses of consents (else
 * nothing later would count), and what was done for their people; leases, circuits, notices, and the times of restores and exports. Figures, rate
 * limits and sessions of such times are dropped. Answers how many nights, runs and consents were brought back.
 *
 * Due times may lie days ahead, but nothing has happened in the future: by half an hour, such a time shows that a clock was ahead, and a run no longer
 * counts for a night that is still to come. The database's clock is asked as well, so that a machine whose own is behind brings nothing back.
 */
export async function bringBackFromAhead(
  database: Database,
  { at, by }: { at: Date; by: string },
): Promise<BroughtBack> {
  const later = Math.max(at.getTime(), (await timeOf(database)).getTime());
  const moments = { at, far: new Date(at.getTime() + farMs), near: new Date(later + nearMs) };
  const change = { to: 'brought back', reason: 'a clock was ahead', at, by };
  const { runs, early } = await inTransaction(database, async (transaction) => {
    const freed = await freeNights(transaction, moments);
    const ids = await bringBackRuns(transaction, moments);
    await saveEvents(transaction, 'run', ids, change);
    return { runs: ids.length, early: freed };
  });
  const plans = await inTransaction(database, async (transaction) => {
    const found = await transaction.plan.findMany({
      where: { paused: false, OR: [{ nextDueAt: { gt: new Date(later + usualNightMs) } }, { id: { in: early } }] },
      orderBy: { nextDueAt: 'desc' },
      take: plansAtOnce,
    });
    const moved: typeof found = [];
    for (const plan of found) if ((await saveNextNight(transaction, plan, at)) < plan.nextDueAt) moved.push(plan);
    const planIds = moved.map(({ id }) => id);
    await saveEvents(transaction, 'plan', planIds, change);
    return moved;
  });
  await bringBackAgreements(database, moments);
  const grants = await bringBackGrants(database, moments);
  await shiftGrants(database, moments);
  const verified = await bringBackVerifications(database, moments);
  const userIds = [...plans, ...grants, ...verified].map(({ userId }) => userId);
  await bringBackRepositories(database, userIds, moments);
  await bringBackRest(database, moments);
  return { plans: plans.length, runs, grants: grants.length };
}

async function timeOf(database: Database): Promise<Date> {
  const [row] = await database.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
  return row?.now ?? new Date(0);
}

/** The time of a column at which something happened, or now if a clock was ahead then; null if there is none. */
function broughtBack(column: string, { at, near }: Pick<Moments, 'at' | 'near'>): Prisma.Sql {
  return Prisma.sql`CASE WHEN ${Prisma.raw(column)} > ${near} THEN ${at} ELSE ${Prisma.raw(column)} END`;
}

/** Sets these columns to that. */
function bringingBack(columns: readonly string[], moments: Pick<Moments, 'at' | 'near'>): Prisma.Sql {
  return Prisma.join(columns.map((column) => Prisma.sql`${Prisma.raw(column)} = ${broughtBack(column, moments)}`));
}

async function bringBackRuns(transaction: Transaction, moments: Moments): Promise<string[]> {
  const { at, far, near } = moments;
  const rows = await transaction.$queryRaw<{ id: string }[]>`
    UPDATE runs SET due_at = least(due_at, ${at}), turn_at = least(turn_at, ${at}), tried_until = least(tried_until, ${requestedUntil(at)}),
      lease_until = least(lease_until, ${new Date(at.getTime() + runLeaseMs)}), ${bringingBack(['queued_at', 'started_at', 'finished_at'], moments)}
    WHERE (state = 'queued' AND due_at > ${far}) OR (state = 'running' AND lease_until > ${near}) OR finished_at > ${near} OR queued_at > ${near}
    RETURNING id`;
  return rows.map(({ id }) => id);
}

/**
 * A run made for a night that is still to come counts for today's date instead, so that its night gets a run of its own. Once for each night: a
 * machine whose clock stays ahead would make it again and again. Answers the ids of the plans.
 */
async function freeNights(transaction: Transaction, { at, near }: Moments): Promise<string[]> {
  const early = await transaction.$queryRaw<{ id: string; planId: string; zone: string }[]>`
    SELECT runs.id, runs.plan_id AS "planId", plans.zone FROM runs JOIN plans ON plans.id = runs.plan_id
    WHERE runs.queued_at > ${near} AND runs.slot = 'night'
      AND NOT EXISTS (SELECT FROM runs other WHERE other.plan_id = runs.plan_id AND other.slot = 'early ' || runs.night)`;
  for (const [zone, runs = []] of Object.entries(Object.groupBy(early, (run) => run.zone)))
    await transaction.$executeRaw`
      UPDATE runs SET slot = 'early ' || night, night = ${dateIn(zone, at)} WHERE id = ANY(${runs.map(({ id }) => id)}::uuid[])`;
  return early.map(({ planId }) => planId);
}

/**
 * What was agreed to then, with which a token came. Later ones stay the later ones, and what is agreed to from now on is later: the latest is what
 * counts.
 */
async function bringBackAgreements(database: Database, { at, near }: Moments): Promise<void> {
  await database.$executeRaw`
    UPDATE consents SET agreed_at = ${at}::timestamptz - (ahead.latest - consents.agreed_at)
    FROM (
      SELECT grant_id, max(agreed_at) AS latest FROM consents
      WHERE agreed_at > ${near} AND grant_id IN (SELECT grant_id FROM exchanges WHERE started_at > ${near}) GROUP BY grant_id
    ) AS ahead
    WHERE consents.grant_id = ahead.grant_id AND consents.agreed_at > ${near}`;
}

/** Each of them is exchanged now: nobody knows what the provider's answer was worth then. */
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

/** Consents that were used while a clock was ahead by less: their times move back by as much, and nothing is exchanged. */
async function shiftGrants(database: Database, { at, near }: Moments): Promise<void> {
  const shifted = (column: string, where = column) =>
    Prisma.sql`${Prisma.raw(column)} = CASE WHEN ${Prisma.raw(where)} > ${near} THEN ${Prisma.raw(column)} - shift.by ELSE ${Prisma.raw(column)} END`;
  await database.$executeRaw`
    WITH ahead AS (
      SELECT id, grant_id, started_at FROM exchanges WHERE started_at > ${near}
    ), used AS (
      UPDATE exchanges SET ${bringingBack(['started_at', 'answered_at'], { at, near })} WHERE id IN (SELECT id FROM ahead)
    ), shift AS (
      SELECT grant_id, max(started_at) - ${at}::timestamptz AS by FROM ahead GROUP BY grant_id
    )
    UPDATE grants SET ${shifted('idle_deadline', 'last_exchanged_at')}, ${shifted('last_exchanged_at')}, ${shifted('next_exchange_at')},
      ${shifted('suspect_since')}, ${shifted('lease_until')}
    FROM shift WHERE grants.id = shift.grant_id`;
}

async function bringBackVerifications(database: Database, moments: Moments): Promise<{ userId: string }[]> {
  const columns = ['next_at', 'read_at', 'checked_at', 'verified_at', 'found_at', 'gone_at', 'back_at', 'cleared_at'];
  return database.$queryRaw<{ userId: string }[]>`
    UPDATE verifications SET ${bringingBack(columns, moments)} WHERE next_at > ${moments.far} RETURNING user_id AS "userId"`;
}

/** What retention and prunes did for these people, and cards of anybody. */
async function bringBackRepositories(database: Database, userIds: string[], moments: Moments): Promise<void> {
  const { at, near } = moments;
  if (userIds.length > 0)
    await database.$executeRaw`
      UPDATE repositories SET ${bringingBack(['retained_at', 'pruned_at', 'unpruned_since'], moments)}
      WHERE user_id = ANY(${userIds}::uuid[]) AND greatest(retained_at, pruned_at, unpruned_since) > ${near}`;
  const weeklyFar = new Date(at.getTime() + weeklyFarMs);
  await database.repository.updateMany({ where: { cardDueAt: { gt: weeklyFar } }, data: { cardDueAt: at } });
}

async function bringBackRest(database: Database, moments: Moments): Promise<void> {
  const { at, far, near } = moments;
  await database.$executeRaw`
    UPDATE circuits SET ${bringingBack(['opened_at', 'next_probe_at', 'closed_at'], moments)},
      trusted_until = CASE WHEN trusted_until <= ${far} THEN trusted_until END
    WHERE greatest(opened_at, next_probe_at, closed_at) > ${near} OR trusted_until > ${far}`;
  await database.$executeRaw`
    UPDATE notices SET ${bringingBack(['created_at', 'next_attempt_at', 'delivered_at'], moments)}
    WHERE next_attempt_at > ${far} OR created_at > ${near}`;
  await database.$executeRaw`
    UPDATE restores SET ${bringingBack(['asked_at', 'started_at', 'told_at', 'finished_at', 'cancelled_at'], moments)}
    WHERE asked_at > ${near} OR (state = 'running' AND told_at > ${near})`;
  await database.$executeRaw`
    UPDATE state_exports SET ${bringingBack(['tried_at', 'made_at', 'lease_until'], moments)}
    WHERE greatest(tried_at, made_at) > ${near} OR lease_until > ${far}`;
  await database.webSession.deleteMany({ where: { lastSeenAt: { gt: near }, createdAt: { gt: near } } });
  await database.webSession.updateMany({ where: { lastSeenAt: { gt: near } }, data: { lastSeenAt: at } });
  await database.keptFigure.deleteMany({ where: { countedAt: { gt: near } } });
  await database.rateLimit.deleteMany({ where: { fullAt: { gt: far } } });
}
