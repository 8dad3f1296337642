import { randomUUID } from 'node:crypto';
import type { Deadlines } from '../../domain/deadlines.ts';
import type { RetentionRule } from '../../domain/retention/rule.ts';
import type { ErasureFacts, PlanFacts, RowSeal, RowSealing } from '../../domain/row-facts.ts';
import type { PlannedSource } from '../../domain/source-names.ts';
import { saveAudit } from '../audit.ts';
import type { Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import type { Grant, Plan, Prisma, User } from '../generated/client.ts';
import { lockUser } from '../people/users.ts';
import { clearEraseAt } from '../repositories/erasures.ts';
import type { SealedToken } from './generations.ts';
import { lockGrant } from './grants.ts';

/** What a consent leaves behind. */
export interface ConsentRows {
  user: User;
  grant: Grant;
  plan: Plan;
  /** Whether the person had a grant before, which was renewed. */
  renewed: boolean;
}

/**
 * The grant that the person gave this client before, if they did. Person and grant are locked until the transaction ends: of two
 * consents at once, the second renews the grant of the first.
 */
export async function lockGrantOf(
  transaction: Transaction,
  { user, clientId }: { user: User; clientId: string },
): Promise<Grant | null> {
  await lockUser(transaction, user.id);
  const key = { userId: user.id, issuer: user.issuer, clientId };
  const known = await transaction.grant.findUnique({ where: { userId_issuer_clientId: key }, select: { id: true } });
  return known && lockGrant(transaction, known.id);
}

export interface GivenGrant extends Deadlines {
  id: string;
  clientId: string;
  scope: string;
  sid: string | null;
  /** The number of the token that it begins with. */
  generation: number;
  sealedDpopKey: Uint8Array<ArrayBuffer> | null;
  dpopKeyId: string | null;
}

/** Saves the grant that a consent gives: a new one, or the earlier one renewed. */
export async function saveGrant(
  transaction: Transaction,
  {
    user,
    earlier,
    given,
    sealing,
    at,
  }: { user: User; earlier: Grant | null; given: GivenGrant; sealing: RowSealing<ErasureFacts>; at: Date },
): Promise<Grant> {
  const { id, clientId, ...rest } = given;
  const fresh = {
    ...rest,
    state: 'active' as const,
    reason: null,
    suspectSince: null,
    refusals: 0,
    warnedDays: null,
    leaseHolder: null,
    leaseUntil: null,
    endedAt: null,
    lastExchangedAt: at,
  };
  const { id: userId, issuer, subject } = user;
  if (earlier) await replaceTokens(transaction, earlier);
  const grant = earlier
    ? await transaction.grant.update({ where: { id }, data: { ...fresh, fence: { increment: 1 } } })
    : await transaction.grant.create({ data: { ...fresh, id, userId, issuer, subject, clientId, createdAt: at } });
  const by = `user:${userId}`;
  await clearEraseAt(transaction, { userId, sealing, at, by });
  const reason = earlier ? 'consent renewed' : 'consent';
  await saveEvent(transaction, 'grant', id, { from: earlier?.state ?? null, to: 'active', reason, at, by });
  return grant;
}

/**
 * The tokens that may still live at the provider are kept until the new one has proved itself, those too that were
 * withdrawn and the provider has not heard of.
 */
async function replaceTokens(transaction: Transaction, { id, state, sid, idleDeadline }: Grant): Promise<void> {
  await transaction.$executeRaw`
    UPDATE token_generations SET state = 'replaced', sid = coalesce(sid, ${sid}), ends_at = least(ends_at, ${idleDeadline})
    WHERE grant_id = ${id}::uuid
      AND (state IN ('current', 'pending') OR (state = 'dead' AND sealed IS NOT NULL AND ${state === 'withdrawn'}))`;
}

/** Saves the token that a consent was answered with, and puts the exchange on record that brought it. */
export async function saveFirstToken(
  transaction: Transaction,
  { grant, token, holder, at }: { grant: Grant; token: SealedToken; holder: string; at: Date },
): Promise<void> {
  const { id: grantId, fence } = grant;
  const { number } = token;
  await transaction.tokenGeneration.create({
    data: { ...token, grantId, state: 'current', parent: null, fence, receivedAt: at },
  });
  const answer = { answeredAt: at, verdict: 'ok', status: 200, received: number };
  await transaction.exchange.create({
    data: {
      id: randomUUID(),
      grantId,
      generation: number,
      fence,
      holder,
      purpose: 'consent',
      startedAt: at,
      ...answer,
    },
  });
}

/** What a person agreed to, word for word, and how. */
export interface Terms {
  method: 'browser' | 'device' | 'password' | 'service';
  terms: Record<string, unknown>;
  agreedAt: Date;
}

/** Records the agreement with its sentences, and the act in the audit: as a renewal, or as a first consent. */
export async function saveTerms(
  transaction: Transaction,
  { id: grantId, userId, scope }: Grant,
  { method, terms, agreedAt, renewed, at }: Terms & { renewed: boolean; at: Date },
): Promise<void> {
  const act = renewed ? 'consent-renewed' : 'consent-given';
  await saveAudit(transaction, { at, by: `user:${userId}`, act, userId, about: method });
  await transaction.consent.create({
    data: { id: randomUUID(), userId, grantId, agreedAt, scope, method, terms: terms as Prisma.InputJsonObject },
  });
}

/** Whether a person has agreed to something else since `agreedAt`; what a clock that was ahead has stamped is not of then. */
export async function hasAgreedSince(
  transaction: Transaction,
  { grantId, agreedAt, at }: { grantId: string; agreedAt: Date; at: Date },
): Promise<boolean> {
  return (await transaction.consent.count({ where: { grantId, agreedAt: { gt: agreedAt, lte: at } } })) > 0;
}

/** The plan of a grant that was renewed; one that a withdrawal stopped goes on again with `resume`. */
export async function findPlanOf(
  transaction: Transaction,
  { grantId, resume }: { grantId: string; resume: boolean },
): Promise<Plan | null> {
  const known = await transaction.plan.findUnique({ where: { grantId } });
  return known && resume ? transaction.plan.update({ where: { grantId }, data: { paused: false } }) : known;
}

export interface TakenOver {
  readonly grant: Grant;
  readonly sealing: RowSealing<PlanFacts>;
  readonly at: Date;
}

/**
 * The plan of a consent that the same person gave to another client of this installation before goes on with the one that they gave now; null where
 * there is none. That consent ends here: a token is of the client that it was given to (RFC 6749, section 6), so that this one can
 * neither use it nor end it at the provider.
 */
export async function takePlanOver(transaction: Transaction, { grant, sealing, at }: TakenOver): Promise<Plan | null> {
  const { id: grantId, userId, clientId } = grant;
  const others = { userId, clientId: { not: clientId } };
  const former = await transaction.plan.findFirst({
    where: { userId, grant: others },
    orderBy: { createdAt: 'desc' },
    include: { grant: { select: { state: true } } },
  });
  const by = `user:${userId}`;
  let taken: Plan | null = null;
  if (former !== null) {
    const { grant: given, ...plan } = former;
    const paused = plan.paused && given.state !== 'withdrawn';
    const data = { grantId, seal: sealing.reseal(plan, { ...plan, grantId }), paused };
    taken = await transaction.plan.update({ where: { id: plan.id }, data });
    const change = { from: plan.grantId, to: grantId, reason: 'client_changed', at, by };
    await saveEvent(transaction, 'plan', plan.id, change);
  }
  const living = await transaction.grant.findMany({ where: { ...others, state: { not: 'withdrawn' } } });
  for (const { id, state } of living) {
    await transaction.tokenGeneration.updateMany({ where: { grantId: id }, data: { state: 'dead', sealed: null } });
    const ended = { state: 'withdrawn' as const, reason: 'client_changed', endedAt: at, nextExchangeAt: null };
    const held = { leaseHolder: null, leaseUntil: null, sealedDpopKey: null, dpopKeyId: null };
    await transaction.grant.update({ where: { id }, data: { ...ended, ...held, fence: { increment: 1 } } });
    await saveEvent(transaction, 'grant', id, { from: state, to: 'withdrawn', reason: 'client_changed', at, by });
  }
  return taken;
}

export interface FirstPlan {
  id: string;
  sources: PlannedSource[];
  zone: string;
  windowStart: string;
  windowEnd: string;
  retention: RetentionRule;
  nextNight: string;
  nextDueAt: Date;
  seal: RowSeal;
}

/** Saves the plan that comes with the first consent. */
export async function savePlan(
  transaction: Transaction,
  { id: grantId, userId }: Grant,
  { plan, at }: { plan: FirstPlan; at: Date },
): Promise<Plan> {
  const created = await transaction.plan.create({
    data: { ...plan, retention: { ...plan.retention }, userId, grantId, createdAt: at },
  });
  await saveEvent(transaction, 'plan', plan.id, { to: 'active', reason: 'consent', at, by: `user:${userId}` });
  return created;
}
