import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from './client.ts';
import { clearEraseAt } from './erasures.ts';
import type { Grant, Plan, Prisma, User } from './generated/client.ts';
import { lockGrant, nextNumber, tellGrant } from './grants.ts';
import type { ReceivedToken } from './rotations.ts';
import { lockUser, type SignedIn, saveUser } from './users.ts';

export interface Consented {
  user: SignedIn;
  grant: {
    clientId: string;
    sid: string | undefined;
    scope: string;
    idleDeadline: Date;
    maxDeadline: Date | null;
    idleSeconds: number | null;
    nextExchangeAt: Date;
  };
  /** Seals for the owner, whose ids may be made in this very transaction. */
  token: (owner: { userId: string; grantId: string }) => ReceivedToken;
  /** The same for the key that the token is bound to, where it is. */
  boundKey?: (owner: { userId: string; grantId: string }) => Pick<Grant, 'sealedDpopKey' | 'dpopKeyId'>;
  terms: { text: Record<string, unknown>; agreedAt: Date };
  /** How it was given. */
  method: 'browser' | 'device' | 'password' | 'service';
  /** Used where the person has no plan yet. */
  plan: (ids: { planId: string }) => {
    sources: { kind: string; name: string; url: string }[];
    zone: string;
    windowStart: string;
    windowEnd: string;
    retention: Record<string, number>;
    nextNight: string;
    nextDueAt: Date;
  };
  holder: string;
  at: Date;
}

export interface ConsentRows {
  user: User;
  grant: Grant;
  plan: Plan;
  /** Whether the person had a grant before, which was renewed. */
  renewed: boolean;
}

/** Saves all that a consent leaves behind, or nothing: person, grant, token, terms, first exchange, plan and events. */
export async function saveConsent(database: Database, consented: Consented): Promise<ConsentRows> {
  return database.$transaction(async (transaction) => {
    const user = await saveUser(transaction, consented.user);
    const { grant, old } = await saveGrant(transaction, user, consented);
    await saveTerms(transaction, grant, consented);
    const plan = await savePlan(transaction, grant, consented, { resume: old?.state === 'withdrawn' });
    return { user, grant, plan, renewed: old !== null };
  });
}

async function saveGrant(transaction: Transaction, user: User, consented: Consented) {
  const { clientId, sid, ...rest } = consented.grant;
  const key = { userId: user.id, issuer: user.issuer, clientId };
  const fresh = {
    ...rest,
    sid: sid ?? null,
    state: 'active' as const,
    reason: null,
    suspectSince: null,
    refusals: 0,
    warnedDays: null,
    leaseHolder: null,
    leaseUntil: null,
    endedAt: null,
    lastExchangedAt: consented.at,
  };
  // Both finishing at once meet here: the second waits for the row of the first and renews it.
  await lockUser(transaction, user.id);
  const old = await transaction.grant.findUnique({ where: { userId_issuer_clientId: key } });
  const grantId = old?.id ?? randomUUID();
  if (old) {
    await lockGrant(transaction, grantId);
    await replaceTokens(transaction, old);
  }
  const number = await nextNumber(transaction, grantId);
  const bound = consented.boundKey?.({ userId: user.id, grantId }) ?? { sealedDpopKey: null, dpopKeyId: null };
  const grant = old
    ? await transaction.grant.update({
        where: { id: grantId },
        data: { ...fresh, ...bound, generation: number, fence: { increment: 1 } },
      })
    : await transaction.grant.create({
        data: {
          id: grantId,
          ...key,
          subject: user.subject,
          createdAt: consented.at,
          generation: number,
          ...fresh,
          ...bound,
        },
      });
  await startChain(transaction, grant, consented);
  const by = `user:${user.id}`;
  await clearEraseAt(transaction, { userId: user.id, at: consented.at, by });
  await tellGrant(
    transaction,
    { id: grantId, ...(old && { state: old.state }) },
    'active',
    old ? 'consent renewed' : 'consent',
    consented.at,
    by,
  );
  return { grant, old };
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

async function startChain(transaction: Transaction, grant: Grant, { token, holder, at }: Consented): Promise<void> {
  const { id: grantId, userId, generation: number, fence } = grant;
  const { sealFor, fingerprint, ...about } = token({ userId, grantId });
  const origin = { parent: null, fence, ...about, receivedAt: at };
  await transaction.tokenGeneration.create({
    data: { grantId, number, state: 'current', ...sealFor(number), fingerprint, ...origin },
  });
  const times = { startedAt: at, answeredAt: at, verdict: 'ok', status: 200, received: number };
  await transaction.exchange.create({
    data: { id: randomUUID(), grantId, generation: number, fence, holder, purpose: 'consent', ...times },
  });
}

async function saveTerms(transaction: Transaction, grant: Grant, { terms, method }: Consented): Promise<void> {
  const text = terms.text as Prisma.InputJsonObject;
  const { id: grantId, userId, scope } = grant;
  await transaction.consent.create({
    data: { id: randomUUID(), userId, grantId, agreedAt: terms.agreedAt, scope, method, terms: text },
  });
}

/** The plan of the grant: made with the first consent, and resumed when consent is given again after a withdrawal. */
async function savePlan(
  transaction: Transaction,
  grant: Grant,
  { plan, at }: Consented,
  { resume }: { resume: boolean },
): Promise<Plan> {
  const { id: grantId, userId } = grant;
  const known = await transaction.plan.findUnique({ where: { grantId } });
  if (known && !resume) return known;
  if (known) return transaction.plan.update({ where: { grantId }, data: { paused: false } });
  const planId = randomUUID();
  const created = await transaction.plan.create({
    data: { id: planId, userId, grantId, createdAt: at, ...plan({ planId }) },
  });
  const told = { subjectKind: 'plan', subjectId: planId, to: 'active', reason: 'consent', at, by: `user:${userId}` };
  await transaction.event.create({ data: told });
  return created;
}
