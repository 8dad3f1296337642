import type { Database, Transaction } from './client.ts';
import type { Grant } from './generated/client.ts';

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

/** The row, locked until the transaction ends: numbers of generations are given out one at a time. */
export async function lockGrant(transaction: Transaction, grantId: string): Promise<Grant | null> {
  await transaction.$queryRaw`SELECT id FROM grants WHERE id = ${grantId}::uuid FOR UPDATE`;
  return findGrant(transaction, grantId);
}

/** The provider's sessions of the tokens that are kept of a person at a client; null where a token does not tell its own. */
export async function listSessionsOfGrant(
  database: Database,
  { issuer, subject, clientId }: { issuer: string; subject: string; clientId: string },
): Promise<(string | null)[]> {
  const rows = await database.tokenGeneration.findMany({
    where: { sealed: { not: null }, grant: { issuer, subject, clientId } },
    select: { sid: true, grant: { select: { sid: true } } },
  });
  return rows.map(({ sid, grant }) => sid ?? grant.sid);
}
