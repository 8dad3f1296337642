import type { Transaction } from './client.ts';

export interface ExchangeEnd {
  exchangeId: string;
  at: Date;
  verdict: string;
  status?: number | undefined;
  errorCode?: string | undefined;
  received?: number | undefined;
}

/** Writes how an exchange ended; one that has ended already stays as it is. */
export async function endExchange(database: Transaction, end: ExchangeEnd): Promise<void> {
  await database.exchange.updateMany({
    where: { id: end.exchangeId, answeredAt: null },
    data: {
      answeredAt: end.at,
      verdict: end.verdict,
      status: end.status ?? null,
      errorCode: end.errorCode ?? null,
      received: end.received ?? null,
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
    select: { verdict: true },
  });
  const known = latest.findIndex(({ verdict }) => verdict !== null && verdict !== 'ambiguous');
  return known === -1 ? latest.length : known;
}
