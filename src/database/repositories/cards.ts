import type { Database } from '../client.ts';
import type { Plan, Repository, Run, User } from '../generated/client.ts';
import { notBeingErased } from './erasures.ts';

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

/** What stands in `card_due_at` where something that the card says was changed. */
export const cardChanged = new Date(0);

/** Where in the order in which cards are due a repository stands. */
export interface PlaceAmongDue {
  readonly cardDueAt: Date;
  readonly id: string;
}

/**
 * The repositories whose card is due at that moment, from `after` on, those of changes first; those that are being moved not. One stays
 * due until it is saved by `saveCardWritten` or `saveCardSeen`.
 */
export async function listCardsDue(
  database: Database,
  { at, after, limit }: { at: Date; after: PlaceAmongDue; limit: number },
): Promise<CardRow[]> {
  const due = await database.$queryRaw<{ id: string }[]>`
    SELECT id FROM repositories
    WHERE card_due_at <= ${at} AND (card_due_at, id) > (${after.cardDueAt}, ${after.id}::uuid)
      AND moving_to IS NULL AND (erase_at IS NULL OR erase_at > ${cardChanged})
    ORDER BY card_due_at, id LIMIT ${limit}`;
  return database.repository.findMany({
    where: { id: { in: due.map(({ id }) => id) } },
    include: withPerson,
    orderBy: [{ cardDueAt: 'asc' }, { id: 'asc' }],
  });
}

/** The same of one; null where there is none, or it is being erased. */
export async function findCardRow(database: Database, id: string): Promise<CardRow | null> {
  return database.repository.findFirst({ where: { id, ...notBeingErased }, include: withPerson });
}

/** Makes the cards due that another key than this one seals. */
export async function saveCardsOfOtherKeysDue(database: Database, newestKeyId: string): Promise<void> {
  const most = 1_000;
  const next = (after: string) =>
    database.repository.findFirst({
      where: { cardKeyId: { gt: after } },
      orderBy: { cardKeyId: 'asc' },
      select: { cardKeyId: true },
    });
  for (let keyId = (await next(''))?.cardKeyId; keyId; keyId = (await next(keyId))?.cardKeyId)
    for (let marked = most; marked === most && keyId !== newestKeyId; )
      marked = await database.$executeRaw`
        UPDATE repositories SET card_due_at = ${cardChanged} WHERE id IN (
          SELECT id FROM repositories WHERE card_key_id = ${keyId} AND card_due_at > ${cardChanged} LIMIT ${most})`;
}

/** When the card of a repository is looked at again. Where what it says was changed since the row was read, it stays due. */
export interface NextLook {
  readonly row: Pick<CardRow, 'id' | 'cardVersion'>;
  readonly dueAt: Date;
}

/** Puts on record what the card of a repository says. */
export async function saveCardWritten(
  database: Database,
  { row, dueAt, cardKeyId, cardDigest }: NextLook & { cardKeyId: string; cardDigest: Uint8Array },
): Promise<void> {
  await database.$executeRaw`
    UPDATE repositories SET card_key_id = ${cardKeyId}, card_digest = ${cardDigest},
      card_due_at = CASE WHEN card_version = ${row.cardVersion} THEN ${dueAt} ELSE card_due_at END
    WHERE id = ${row.id}::uuid`;
}

/** Puts on record that the card of a repository is as it should be. */
export async function saveCardSeen(database: Database, { row, dueAt }: NextLook): Promise<void> {
  const { id, cardVersion } = row;
  await database.repository.updateMany({ where: { id, cardVersion }, data: { cardDueAt: dueAt } });
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
