import type { Database, Transaction } from './client.ts';
import type { Grant, TokenGeneration } from './generated/client.ts';

export async function findGrant(database: Transaction, grantId: string): Promise<Grant | null> {
  return database.grant.findUnique({ where: { id: grantId } });
}

/** A place in the order of deadlines. */
export interface DueGrant {
  id: string;
  idleDeadline: Date;
}

/** Grants that must be exchanged, or may be asked again, now; those whose token ends first come first. */
export async function listGrantsToExchange(
  database: Transaction,
  { at, limit, after }: { at: Date; limit: number; after?: DueGrant | undefined },
): Promise<DueGrant[]> {
  const rest = after && {
    OR: [{ idleDeadline: { gt: after.idleDeadline } }, { idleDeadline: after.idleDeadline, id: { gt: after.id } }],
  };
  return database.grant.findMany({
    where: { nextExchangeAt: { lte: at }, state: { not: 'withdrawn' }, ...rest },
    orderBy: [{ idleDeadline: 'asc' }, { id: 'asc' }],
    take: limit,
    select: { id: true, idleDeadline: true },
  });
}

/** Ends the grant here: shreds its tokens, pauses its plan, and answers the last one, for revocation, or nothing if it had ended. */
export async function withdrawGrant(
  database: Database,
  { grantId, at, by, reason }: { grantId: string; at: Date; by: string; reason: string },
): Promise<{ grant: Grant; tokens: TokenGeneration[] } | undefined> {
  return database.$transaction(async (transaction) => {
    const grant = await lockGrant(transaction, grantId);
    if (grant.state === 'withdrawn') return undefined;
    const living = { grantId, state: { in: ['current' as const, 'pending' as const] } };
    const tokens = await transaction.tokenGeneration.findMany({ where: living, orderBy: { number: 'asc' } });
    await transaction.tokenGeneration.updateMany({ where: living, data: { state: 'dead' } });
    await transaction.tokenGeneration.updateMany({ where: { grantId }, data: { sealed: null } });
    await transaction.grant.update({
      where: { id: grantId },
      data: { state: 'withdrawn', reason, endedAt: at, fence: { increment: 1 }, leaseHolder: null, leaseUntil: null },
    });
    await transaction.plan.updateMany({ where: { grantId }, data: { paused: true } });
    await tellGrant(transaction, grant, 'withdrawn', reason, at, by);
    return { grant, tokens };
  });
}

/** The row, locked until the transaction ends: numbers of generations are given out one at a time. */
export async function lockGrant(transaction: Transaction, grantId: string): Promise<Grant> {
  await transaction.$queryRaw`SELECT id FROM grants WHERE id = ${grantId}::uuid FOR UPDATE`;
  return transaction.grant.findUniqueOrThrow({ where: { id: grantId } });
}

/** Writes the event that goes with a change of a grant's state. */
export async function tellGrant(
  transaction: Transaction,
  grant: { id: string; state?: string },
  to: string,
  reason: string,
  at: Date,
  by: string,
): Promise<void> {
  const from = grant.state ?? null;
  await transaction.event.create({ data: { subjectKind: 'grant', subjectId: grant.id, from, to, reason, at, by } });
}

/** The number that the next generation of the grant gets. */
export async function nextNumber(transaction: Transaction, grantId: string): Promise<number> {
  const { _max } = await transaction.tokenGeneration.aggregate({ where: { grantId }, _max: { number: true } });
  return (_max.number ?? 0) + 1;
}
