import type { Database, Transaction } from '../client.ts';
import { type Grant, Prisma } from '../generated/client.ts';

/** The grant of that id, whatever its state; null where there is none. */
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
  /** Looks at these alone. */
  among?: readonly DueGrant[] | undefined;
  /** Leaves those alone whose run is being worked on and whose token lives longer than this: the run itself exchanges it. */
  sparingRunsUntil?: Date | undefined;
}

/**
 * Grants that must be exchanged, or may be asked again, now; those whose token ends first come first. To find these, it looks at all that are due after
 * `after`, however few are wanted: who goes through all takes many at a time.
 */
export async function listGrantsToExchange(
  database: Transaction,
  { at, limit, after, among, sparingRunsUntil }: WantedGrants,
): Promise<DueGrant[]> {
  const rest = after ? Prisma.sql`AND (idle_deadline, id) > (${after.idleDeadline}, ${after.id}::uuid)` : Prisma.empty;
  const chosen = among ? Prisma.sql`AND id = ANY(${among.map(({ id }) => id)}::uuid[])` : Prisma.empty;
  const spared = sparingRunsUntil
    ? Prisma.sql`AND NOT (idle_deadline > ${sparingRunsUntil} AND id IN (
        SELECT grant_id FROM runs JOIN plans ON plans.id = runs.plan_id WHERE runs.state = 'running'))`
    : Prisma.empty;
  return database.$queryRaw<DueGrant[]>`
    SELECT id, idle_deadline AS "idleDeadline" FROM grants
    WHERE next_exchange_at <= ${at} AND state <> 'withdrawn' ${rest} ${chosen} ${spared}
    ORDER BY idle_deadline, id LIMIT ${limit}`;
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
