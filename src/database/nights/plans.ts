import type { Hours } from '../../domain/hours.ts';
import { type NightPlan, nextNight } from '../../domain/nights.ts';
import { requestedUntil } from '../../domain/run-tries.ts';
import { turnOf } from '../../domain/turns.ts';
import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import { newUuidAt } from '../../uuid.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvent, saveEvents } from '../events.ts';
import type { Prisma } from '../generated/client.ts';
import { lockUser } from '../people/users.ts';
import { pullForward } from './queued-runs.ts';
import { hostOfPlan, isHeavyOfPlan } from './turns.ts';

/** The time zone in which the plan's nights are counted; throws `request/not-found` where there is no such plan. */
export async function getPlanZone(database: Database, planId: string): Promise<string> {
  const plan = await database.plan.findUnique({ where: { id: planId }, select: { zone: true } });
  if (plan === null) throw new AppError('request/not-found', 'There is no such plan.');
  return plan.zone;
}

/** Until when the run of a grant that is under way is tried; null where there is none. Of several, the last to end. */
export async function findTriedUntil(database: Database, grantId: string): Promise<Date | null> {
  const { _max } = await database.run.aggregate({
    where: { plan: { grantId }, state: { in: ['queued', 'running'] } },
    _max: { triedUntil: true },
  });
  return _max.triedUntil;
}

export interface RequestedRun {
  planId: string;
  night: string;
  trigger: string;
  at: Date;
  by: string;
  words?: string | undefined;
}

/**
 * Saves a run besides the nightly one, or answers the plan's run that is under way; one that waits for a later moment is due at
 * once then, and so is its grant. `isNew`: that changed something, which goes into the audit of an operator. Null where the grant may no
 * longer be used.
 */
export async function saveRequestedRun(
  database: Database,
  { planId, night, trigger, at, by, words }: RequestedRun,
): Promise<{ id: string; fence: number; waits: boolean; isNew: boolean } | null> {
  return inTransaction(database, async (transaction) => {
    const [plan] = await transaction.$queryRaw<{ host: string; heavy: boolean }[]>`
      SELECT ${hostOfPlan} AS host, ${isHeavyOfPlan} AS heavy FROM plans WHERE id = ${planId}::uuid FOR UPDATE`;
    const usable = { id: planId, grant: { state: { in: ['active' as const, 'suspect' as const] } } };
    if ((await transaction.plan.count({ where: usable })) === 0) return null;
    await hastenGrant(transaction, { planId, at });
    const underWay = await pullForward(transaction, { planId, trigger, at, by });
    const isNew = underWay === null || underWay.isMoved;
    if (trigger === 'operator' && isNew) await auditRequest(transaction, { planId, at, by, words });
    if (underWay !== null) return { ...underWay, isNew };
    const id = newUuidAt(at);
    const moments = { dueAt: at, turnAt: turnOf({ trigger, dueAt: at }), queuedAt: at, triedUntil: requestedUntil(at) };
    await transaction.run.create({ data: { id, planId, ...plan, night, slot: id, trigger, ...moments } });
    await saveEvent(transaction, 'run', id, { from: null, to: 'queued', at, by, reason: trigger });
    return { id, fence: 0, waits: true, isNew };
  });
}

/** The least time between two exchanges that people ask for. */
const askedAtMostEveryMs = minuteMs;

/**
 * Whoever asks for a run asks the provider too, where the grant waits after refusals or lost answers. Not where a permission is
 * missing: some providers use the token up in that refusal.
 */
async function hastenGrant(transaction: Transaction, { planId, at }: { planId: string; at: Date }): Promise<void> {
  const since = new Date(at.getTime() - askedAtMostEveryMs);
  await transaction.grant.updateMany({
    where: {
      plans: { some: { id: planId } },
      OR: [{ state: 'suspect' }, { state: 'active', reason: { not: null } }],
      NOT: { reason: 'permission_missing' },
      nextExchangeAt: { gt: at },
      exchanges: { none: { startedAt: { gt: since } } },
    },
    data: { nextExchangeAt: at },
  });
}

/** Makes the run of a grant that waits for a later moment due at once; null where none is under way. */
export async function hastenRun(
  database: Database,
  { grantId, at, by }: { grantId: string; at: Date; by: string },
): Promise<{ id: string; fence: number; waits: boolean } | null> {
  return inTransaction(database, async (transaction) => {
    const [plan] = await transaction.$queryRaw<{ id: string }[]>`
      SELECT id FROM plans WHERE grant_id = ${grantId}::uuid FOR UPDATE`;
    return plan === undefined ? null : pullForward(transaction, { planId: plan.id, at, by });
  });
}

async function auditRequest(
  transaction: Transaction,
  { planId, at, by, words }: { planId: string; at: Date; by: string; words: string | undefined },
): Promise<void> {
  const { userId } = await transaction.plan.findUniqueOrThrow({ where: { id: planId }, select: { userId: true } });
  await saveAudit(transaction, { at, by, act: 'run-requested', userId, reason: words });
}

/** An operator's change to a person's plan or sessions, with their words. */
export interface OperatorAct {
  userId: string;
  at: Date;
  by: string;
  /** Why, in the words of the operator. */
  words?: string | undefined;
}

const living = { state: { in: ['active' as const, 'suspect' as const, 'needs_consent' as const] } };

/** What came of a pause or of its end: `same` where it was so already, `held` where an operator's pause stands, `ended` without a living consent. */
export type PauseOutcome = 'saved' | 'same' | 'held' | 'ended';

/**
 * Lets no new night of a person's living consent begin, until that moment or, where it is null, until somebody lets them go on.
 * Only the person's own pause has an end, so that it never takes the place of an operator's.
 */
export async function savePause(
  database: Database,
  { userId, until, at, by, words }: OperatorAct & { until: Date | null },
): Promise<PauseOutcome> {
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const otherEnd = until === null ? {} : { pausedUntil: { not: until } };
    const plans = await transaction.plan.updateManyAndReturn({
      where: { userId, grant: living, OR: [{ paused: false }, { AND: [{ pausedUntil: { not: null } }, otherEnd] }] },
      data: { paused: true, pausedUntil: until },
      select: { id: true },
    });
    if (plans.length === 0) return pauseOf(transaction, userId);
    const planIds = plans.map(({ id }) => id);
    const reason = until === null ? {} : { reason: `until ${until.toISOString()}` };
    await saveEvents(transaction, 'plan', planIds, { to: 'paused', at, by, ...reason });
    await saveAudit(transaction, { at, by, act: 'plan-paused', userId, about: until?.toISOString(), reason: words });
    return 'saved';
  });
}

/**
 * Lets the nights of a person's living consent go on, from the next one to come; `own`: only after a pause that they asked for
 * themselves.
 */
export async function saveResumed(
  database: Database,
  { userId, own, at, by, words }: OperatorAct & { own: boolean },
): Promise<PauseOutcome> {
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const of = { userId, grant: living, paused: true, ...(own && { pausedUntil: { not: null } }) };
    if ((await resume(transaction, of, { at, by })) === 0) return pauseOf(transaction, userId);
    await saveAudit(transaction, { at, by, act: 'plan-resumed', userId, reason: words });
    return 'saved';
  });
}

/** Why nothing was changed about a person's pause. */
async function pauseOf(transaction: Transaction, userId: string): Promise<PauseOutcome> {
  const plan = await transaction.plan.findFirst({
    where: { userId, grant: living },
    orderBy: { createdAt: 'desc' },
    select: { paused: true, pausedUntil: true },
  });
  if (plan === null) return 'ended';
  return plan.paused && plan.pausedUntil === null ? 'held' : 'same';
}

/** Resumes the nights whose pause is over. */
export async function resumeDuePlans(database: Database, { at, by }: { at: Date; by: string }): Promise<void> {
  const over = { paused: true, pausedUntil: { lte: at }, grant: living };
  if ((await database.plan.count({ where: over })) > 0)
    await inTransaction(database, (transaction) => resume(transaction, over, { at, by }));
}

/** Nights that went by meanwhile are not made up for: they were not wanted. */
async function resume(
  transaction: Transaction,
  where: Prisma.PlanWhereInput,
  { at, by }: { at: Date; by: string },
): Promise<number> {
  const plans = await transaction.plan.updateManyAndReturn({ where, data: { paused: false, pausedUntil: null } });
  for (const plan of plans) await saveNextNight(transaction, plan, at);
  const planIds = plans.map(({ id }) => id);
  await saveEvents(transaction, 'plan', planIds, { to: 'active', at, by });
  return planIds.length;
}

/** Saves which night comes next: of its date there is no run yet. Answers when it is due. */
export async function saveNextNight(transaction: Transaction, plan: NightPlan, at: Date): Promise<Date> {
  const hasRun = (night: string) => transaction.run.count({ where: { planId: plan.id, night, slot: 'night' } });
  let next = nextNight(plan, at);
  while ((await hasRun(next.night)) > 0) next = nextNight(plan, next.night);
  await transaction.plan.update({ where: { id: plan.id }, data: { nextNight: next.night, nextDueAt: next.dueAt } });
  return next.dueAt;
}

/** Saves when the nights of a person's newest plan are, from the next one on; `same` where they were so already, `none` without a plan. */
export async function saveHours(
  database: Database,
  { userId, hours, at, by }: { userId: string; hours: Hours; at: Date; by: string },
): Promise<'saved' | 'same' | 'none'> {
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const [plan] = await transaction.$queryRaw<NightPlan[]>`
      SELECT id, zone, window_start AS "windowStart", window_end AS "windowEnd" FROM plans
      WHERE user_id = ${userId}::uuid ORDER BY created_at DESC LIMIT 1 FOR UPDATE`;
    if (plan === undefined) return 'none';
    if (textOfHours(plan) === textOfHours(hours)) return 'same';
    const { id } = plan;
    const { zone, windowStart, windowEnd } = hours;
    await transaction.plan.update({ where: { id }, data: { zone, windowStart, windowEnd } });
    await saveNextNight(transaction, { ...hours, id }, at);
    const about = textOfHours(hours);
    await saveEvent(transaction, 'plan', id, { from: textOfHours(plan), to: about, reason: 'hours', at, by });
    await saveAudit(transaction, { at, by, act: 'settings-changed', userId, about });
    return 'saved';
  });
}

function textOfHours({ zone, windowStart, windowEnd }: Hours): string {
  return `${windowStart}-${windowEnd} ${zone}`;
}
