import { saveFromCard } from '../../database/repositories/adoptions.ts';
import { type CardRow, findCardRow } from '../../database/repositories/cards.ts';
import { eachRepositoryPlace } from '../../database/repositories/repository-moves.ts';
import { eraseAtOfCard, type WrittenCard } from '../../domain/repository-card.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { loadCards } from '../../store/repository/cards.ts';
import { inParallel } from '../../store/repository/in-parallel.ts';
import { erasureSealing } from '../../vault/row-seals.ts';
import { openCard } from './keep-card.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'log' | 'store'>;

/**
 * For how many people something was taken over from their card, of how many the store could not show it, and of how many the card is no longer where it
 * was written, as after a move of the repository.
 */
export interface TakenOverCards {
  readonly newer: number;
  readonly unread: number;
  readonly elsewhere: number;
}

const width = 8;

/**
 * After rows were imported that are as they were at `since`: takes over from each card that was written later when the snapshots are to be erased, which
 * recovery key opens the repository, and a great loss or change that nobody has looked at. Otherwise the next look would replace the card by one that
 * says what the older rows do.
 */
export async function takeOverCards(
  resources: Needs,
  { since, by }: { since: Date; by: string },
): Promise<TakenOverCards> {
  let [newer, unread, elsewhere] = [0, 0, 0];
  for await (const places of eachRepositoryPlace(resources.database)) {
    const look = async ({ id }: { id: string }) => {
      const found = await takeOver(resources, id, { since, by });
      if (found === 'newer') newer += 1;
      if (found === 'elsewhere') elsewhere += 1;
    };
    const failed = (error: unknown) => {
      if (!isAppError(error)) throw error;
      unread += 1;
      resources.log.warn('card.failed', { error });
    };
    await Array.fromAsync(inParallel(places, width, look, failed));
  }
  return { newer, unread, elsewhere };
}

async function takeOver(
  resources: Needs,
  id: string,
  { since, by }: { since: Date; by: string },
): Promise<'newer' | 'elsewhere' | undefined> {
  const { database, store } = resources;
  const row = await findCardRow(database, id);
  if (row === null) return undefined;
  const files = await loadCards(store(row.location, row.store));
  if (files.length === 0 && row.cardKeyId !== null) return 'elsewhere';
  const cards = files.flatMap((bytes) => opened(resources, row.location, bytes) ?? []);
  const card = cards.toSorted((a, b) => a.writtenAt.localeCompare(b.writtenAt)).at(-1);
  const isOfRow = card?.repositoryId === id && card.owner.subject === row.user.subject;
  if (card === undefined || !isOfRow || Date.parse(card.writtenAt) <= since.getTime()) return undefined;
  return (await takeOverCard(resources, { row, card, by })) ? 'newer' : undefined;
}

/** Takes over what a card says that was written after the row was as it is. Whether anything was otherwise. */
export async function takeOverCard(
  { clock, database, keyring }: Pick<Needs, 'clock' | 'database' | 'keyring'>,
  { row, card, by }: { row: CardRow; card: WrittenCard; by: string },
): Promise<boolean> {
  const { recovery, plan } = card;
  const keptAt = recovery.keptAt === null ? null : new Date(recovery.keptAt);
  const hasOtherKey = recovery.keyFile !== row.recoveryKeyFile;
  const isKept = keptAt !== null && row.recoveryKeptAt === null;
  const now = clock.now();
  const isSame = card.eraseAt === (row.eraseAt?.toISOString() ?? null);
  return saveFromCard(database, {
    row,
    eraseAt: isSame ? row.eraseAt : eraseAtOfCard(card, now),
    ...((hasOtherKey || isKept) && { recovery: { keyFile: recovery.keyFile, keptAt } }),
    ...(plan?.alarm && { alarm: plan.alarm }),
    sealing: erasureSealing(keyring),
    at: now,
    by,
  });
}

/** One that cannot be opened says nothing. */
function opened({ keyring, log }: Needs, location: string, bytes: Uint8Array): WrittenCard | undefined {
  try {
    return openCard(keyring, location, bytes);
  } catch (error) {
    if (!isAppError(error)) throw error;
    log.warn('card.failed', { error });
    return undefined;
  }
}
