import type { Database, Transaction } from '../client.ts';
import type { Grant } from '../generated/client.ts';

export async function findGrant(database: Transaction, grantId: string): Promise<Grant | null> {
  return database.grant.findUnique({ where: { id: grantId } });
}

/** A place in the order of deadlines. */
export interface DueGrant {
  id: string;
  idleDeadline: Date;
}

export interface WantedGrants {
  at: Date;
  limit: number;
  after?: DueGrant | undefined;
  /** Leaves those alone whose run is being worked on and whose token lives longer than this: the run itself exchanges it. */
  sparingRunsUntil?: Date | undefined;
}

/** Grants that must be exchanged, or may be asked again, now; those whose token ends first come first. */
export async function listGrantsToExchange(
  database: Transaction,
  { at, limit, after, sparingRunsUntil }: WantedGrants,
): Promise<DueGrant[]> {
  const atWork = { plans: { some: { runs: { some: { state: 'running' as const } } } } };
  const spared = sparingRunsUntil && { NOT: { idleDeadline: { gt: sparingRunsUntil }, ...atWork } };
  const rest = after && {
    OR: [{ idleDeadline: { gt: after.idleDeadline } }, { idleDeadline: after.idleDeadline, id: { gt: after.id } }],
  };
  return database.grant.findMany({
    where: { nextExchangeAt: { lte: at }, state: { not: 'withdrawn' }, ...rest, ...spared },
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
