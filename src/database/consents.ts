import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from './client.ts';
import type { Grant, Plan, Prisma, User } from './generated/client.ts';
import { lockGrant, nextNumber, tellGrant } from './grants.ts';
import type { ReceivedToken } from './rotations.ts';
import { type SignedIn, saveUser } from './users.ts';

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
  terms: { text: Record<string, unknown>; agreedAt: Date };
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
    const { grant, renewed } = await saveGrant(transaction, user, consented);
    await saveTerms(transaction, grant, consented);
    const plan = await savePlan(transaction, grant, consented);
    return { user, grant, plan, renewed };
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
  await transaction.$queryRaw`SELECT id FROM users WHERE id = ${user.id}::uuid FOR UPDATE`;
  const old = await transaction.grant.findUnique({ where: { userId_issuer_clientId: key } });
  const grantId = old?.id ?? randomUUID();
  const number = await nextNumber(transaction, grantId);
  if (old) await lockGrant(transaction, grantId);
  const grant = old
    ? await transaction.grant.update({
        where: { id: grantId },
        data: { ...fresh, generation: number, fence: { increment: 1 } },
      })
    : await transaction.grant.create({
        data: { id: grantId, ...key, subject: user.subject, createdAt: consented.at, generation: number, ...fresh },
      });
  await startChain(transaction, grant, consented);
  const by = `user:${user.id}`;
  await tellGrant(
    transaction,
    { id: grantId, ...(old && { state: old.state }) },
    'active',
    old ? 'consent renewed' : 'consent',
    consented.at,
    by,
  );
  return { grant, renewed: old !== null };
}

async function startChain(transaction: Transaction, grant: Grant, { token, holder, at }: Consented): Promise<void> {
  const { id: grantId, userId, generation: number, fence } = grant;
  await transaction.tokenGeneration.updateMany({ where: { grantId, state: 'current' }, data: { state: 'superseded' } });
  await transaction.tokenGeneration.updateMany({ where: { grantId, state: 'pending' }, data: { state: 'dead' } });
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

async function saveTerms(transaction: Transaction, grant: Grant, { terms }: Consented): Promise<void> {
  const text = terms.text as Prisma.InputJsonObject;
  const { id: grantId, userId, scope } = grant;
  await transaction.consent.create({
    data: { id: randomUUID(), userId, grantId, agreedAt: terms.agreedAt, scope, terms: text },
  });
}

/** The plan of the grant: made with the first consent, and resumed when consent is given again. */
async function savePlan(transaction: Transaction, grant: Grant, { plan, at }: Consented): Promise<Plan> {
  const { id: grantId, userId } = grant;
  const known = await transaction.plan.findUnique({ where: { grantId } });
  if (known) {
    return transaction.plan.update({ where: { grantId }, data: { paused: false } });
  }
  const planId = randomUUID();
  const created = await transaction.plan.create({
    data: { id: planId, userId, grantId, createdAt: at, ...plan({ planId }) },
  });
  const told = { subjectKind: 'plan', subjectId: planId, to: 'active', reason: 'consent', at, by: `user:${userId}` };
  await transaction.event.create({ data: told });
  return created;
}
