import { answersFromMs, type LatestAnswer, latestAnswers } from '../../domain/circuit.ts';
import type { Hint } from '../../domain/hint.ts';
import { permissionErrors } from '../../domain/refusal-meaning.ts';
import type { Database, Transaction } from '../client.ts';
import { Prisma } from '../generated/client.ts';

export interface ExchangeEnd {
  exchangeId: string;
  at: Date;
  verdict: string;
  status?: number | undefined;
  errorCode?: string | undefined;
  hint?: string | undefined;
}

/** Writes how an exchange ended that brought no token; one that has ended already stays as it is. */
export async function endExchange(database: Transaction, end: ExchangeEnd): Promise<void> {
  await database.exchange.updateMany({
    where: { id: end.exchangeId, answeredAt: null },
    data: {
      answeredAt: end.at,
      verdict: end.verdict,
      status: end.status ?? null,
      errorCode: end.errorCode ?? null,
      hint: end.hint ?? null,
    },
  });
}

/** How many of the latest exchanges of this generation in a row never got a whole answer, the running one left out. */
export async function countLostAnswers(
  database: Transaction,
  { grantId, generation, besides }: { grantId: string; generation: number; besides: string },
): Promise<number> {
  const latest = await database.exchange.findMany({
    where: { grantId, generation, id: { not: besides } },
    orderBy: { fence: 'desc' },
    take: 5,
    select: { verdict: true, errorCode: true },
  });
  // A connection that was refused says nothing of the answer that was lost before it.
  const said = latest.filter(({ verdict }) => verdict !== 'transient' && verdict !== 'operator');
  const known = said.findIndex(({ verdict }) => verdict !== null && verdict !== 'ambiguous');
  return known === -1 ? said.length : known;
}

/** Whether an exchange with this generation went well, besides that of the code which brought it. */
export async function wasUsedWell(
  database: Transaction,
  { grantId, generation }: { grantId: string; generation: number },
): Promise<boolean> {
  return (
    (await database.exchange.findFirst({
      where: { grantId, generation, verdict: 'ok', purpose: { not: 'consent' } },
      select: { id: true },
    })) !== null
  );
}

/** Whether that generation came in an answer that was not accepted, for this reason. */
export async function wasReceivedWith(
  database: Transaction,
  { grantId, number, errorCode }: { grantId: string; number: number; errorCode: string },
): Promise<boolean> {
  return (await database.exchange.findFirst({ where: { grantId, received: number, errorCode } })) !== null;
}

const personAskedFor: Hint = 'interaction_required';

interface Client {
  issuer: string;
  clientId: string;
}

/**
 * The latest answers that a provider gave this client lately, one a grant, the newest first. Refusals count of grants
 * that were alive before `since` the circuit closed last, so that what was refused for long says nothing new; and only those that could
 * be the provider's fault: not of a grant past its end, nor where a permission is missing or the person is asked for.
 */
export async function listLatestAnswers(
  database: Database,
  { issuer, clientId, at, besides }: Client & { at: Date; besides: string },
): Promise<LatestAnswer[]> {
  const from = new Date(at.getTime() - answersFromMs);
  const counts = (e: Prisma.Sql) => Prisma.sql`(${e}.verdict = 'ok' OR (${e}.verdict IN ('person', 'unclear')
    AND least(g.idle_deadline, g.max_deadline) > ${e}.started_at
    AND ${e}.error_code <> ALL(${permissionErrors}) AND ${e}.hint IS DISTINCT FROM ${personAskedFor}))`;
  const rows = await database.$queryRaw<{ answer: LatestAnswer }[]>`
    WITH since AS (
      SELECT coalesce(max(closed_at), ${from}) AS at FROM circuits WHERE issuer = ${issuer} AND client_id = ${clientId}
    )
    SELECT CASE e.verdict WHEN 'ok' THEN 'ok' ELSE 'refused' END AS answer
    FROM since CROSS JOIN exchanges e JOIN grants g ON g.id = e.grant_id
    WHERE e.started_at > ${from} AND ${counts(Prisma.sql`e`)}
      AND g.issuer = ${issuer} AND g.client_id = ${clientId} AND g.id <> ${besides}::uuid
      AND NOT EXISTS (SELECT FROM exchanges later WHERE later.grant_id = e.grant_id AND later.fence > e.fence AND ${counts(Prisma.sql`later`)})
      AND (e.verdict = 'ok' OR coalesce(g.suspect_since, e.started_at) >= greatest(since.at, ${from}))
    ORDER BY e.started_at DESC LIMIT ${latestAnswers}`;
  return rows.map(({ answer }) => answer);
}

/** What came of the exchange of the grant before this one, and when; null if none was answered. */
export async function findAnswerBefore(
  database: Database,
  { grantId, fence }: { grantId: string; fence: number },
): Promise<{ verdict: string | null; answeredAt: Date | null } | null> {
  return database.exchange.findFirst({
    where: { grantId, fence: { lt: fence }, answeredAt: { not: null } },
    orderBy: { fence: 'desc' },
    select: { verdict: true, answeredAt: true },
  });
}

/** Whether another grant of the same client was exchanged well since then; null where there is no other that lives. */
export async function findWitness(
  database: Database,
  { grantId, issuer, clientId, since }: Client & { grantId: string; since: Date },
): Promise<boolean | null> {
  // The state is written out, since PostgreSQL uses the index of active grants only then.
  const [latest] = await database.$queryRaw<{ isWitness: boolean }[]>`
    SELECT last_exchanged_at > ${since} AS "isWitness" FROM grants
    WHERE issuer = ${issuer} AND client_id = ${clientId} AND state = 'active' AND id <> ${grantId}::uuid
    ORDER BY last_exchanged_at DESC LIMIT 1`;
  return latest?.isWitness ?? null;
}

/** Brings the exchange of another grant forward: its answer will show whether only this person is refused. */
export async function hastenWitness(
  database: Database,
  { grantId, issuer, clientId, at }: Client & { grantId: string; at: Date },
): Promise<void> {
  await database.$executeRaw`
    UPDATE grants SET next_exchange_at = ${at} WHERE id = (
      SELECT id FROM grants WHERE issuer = ${issuer} AND client_id = ${clientId} AND id <> ${grantId}::uuid
        AND state = 'active' ORDER BY last_exchanged_at LIMIT 1)
    AND state = 'active' AND next_exchange_at > ${at}`;
}

/** When the exchange of the grant under that fence began, where it has no answer yet. */
export async function findUnansweredExchange(
  database: Database,
  { grantId, fence }: { grantId: string; fence: number },
): Promise<Date | undefined> {
  const found = await database.exchange.findFirst({
    where: { grantId, fence, answeredAt: null },
    select: { startedAt: true },
  });
  return found?.startedAt;
}

/** Ends the exchanges that never got an answer and whose makers can no longer have one: ambiguous. Answers how many. */
export async function endSilentExchanges(
  database: Database,
  { before, at }: { before: Date; at: Date },
): Promise<number> {
  const { count } = await database.exchange.updateMany({
    where: { answeredAt: null, startedAt: { lte: before } },
    data: { answeredAt: at, verdict: 'ambiguous', errorCode: 'no-answer' },
  });
  return count;
}
