import type { Database } from './client.ts';
import { notBeingErased } from './erasures.ts';
import type { Plan, Repository, Run, User } from './generated/client.ts';

/** A repository, and what its card says of its person: their plan, with the last run that holds the retention. */
export type CardRow = Repository & {
  readonly user: User & { readonly plans: readonly (Plan & { readonly runs: readonly Run[] })[] };
};

const newest = { orderBy: { createdAt: 'desc' }, take: 1 } as const;
const holding = {
  where: { alarm: { not: null }, alarmSeenAt: null, snapshotId: { not: null } },
  orderBy: { finishedAt: 'desc' },
  take: 1,
} as const;
const withPerson = { user: { include: { plans: { ...newest, include: { runs: holding } } } } };

/** The repositories that have a card or should have one, by id, from `after` on; those that are being moved not. */
export async function listCardRows(
  database: Database,
  { after, limit }: { after: string; limit: number },
): Promise<CardRow[]> {
  return database.repository.findMany({
    where: { id: { gt: after }, movingTo: null, ...notBeingErased },
    include: withPerson,
    orderBy: { id: 'asc' },
    take: limit,
  });
}

/** The same of one; null where there is none, or it is being erased. */
export async function findCardRow(database: Database, id: string): Promise<CardRow | null> {
  return database.repository.findFirst({ where: { id, ...notBeingErased }, include: withPerson });
}

export interface SavedCard {
  readonly id: string;
  readonly cardKeyId: string;
  readonly cardDigest: Uint8Array<ArrayBuffer>;
}

/** Puts on record what the card of a repository says. */
export async function saveCardWritten(database: Database, { id, ...card }: SavedCard): Promise<void> {
  await database.repository.updateMany({ where: { id }, data: card });
}

/** How many cards each key seals. */
export async function countCards(database: Database): Promise<{ keyId: string; count: number }[]> {
  const groups = await database.repository.groupBy({
    by: ['cardKeyId'],
    where: { cardKeyId: { not: null } },
    _count: true,
  });
  return groups.map(({ cardKeyId, _count }) => ({ keyId: cardKeyId ?? '', count: _count }));
}
