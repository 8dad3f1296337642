import { saveFromCard } from '../../database/repositories/adoptions.ts';
import { findCardRow } from '../../database/repositories/cards.ts';
import { eachRepositoryPlace } from '../../database/repositories/repository-moves.ts';
import type { WrittenCard } from '../../domain/repository-card.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { loadCards } from '../../store/repository/cards.ts';
import { inParallel } from '../../store/repository/in-parallel.ts';
import { eraseAtOfCard } from './adopt-repositories.ts';
import { openCard } from './keep-card.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'log' | 'store'>;

/** For how many people something was taken over from their card, and of how many the store could not show it. */
export interface HeededCards {
  readonly newer: number;
  readonly unread: number;
}

const width = 8;

/**
 * After rows were imported that are as they were at `since`: takes over from each card that was written later when the snapshots are to be erased, which
 * recovery key opens the repository, and a great loss or change that nobody has looked at. Otherwise the next look would replace the card by one that
 * says what the older rows do.
 */
export async function heedCards(resources: Needs, { since, by }: { since: Date; by: string }): Promise<HeededCards> {
  let [newer, unread] = [0, 0];
  for await (const places of eachRepositoryPlace(resources.database)) {
    const look = async ({ id }: { id: string }) => {
      if (await heed(resources, id, { since, by })) newer += 1;
    };
    const failed = (error: unknown) => {
      if (!isAppError(error)) throw error;
      unread += 1;
      resources.log.warn('card.failed', { error });
    };
    await Array.fromAsync(inParallel(places, width, look, failed));
  }
  return { newer, unread };
}

async function heed(resources: Needs, id: string, { since, by }: { since: Date; by: string }): Promise<boolean> {
  const { clock, database, store } = resources;
  const row = await findCardRow(database, id);
  if (row === null) return false;
  const cards = (await loadCards(store(row.location, row.store))).flatMap(
    (bytes) => opened(resources, row.location, bytes) ?? [],
  );
  const card = cards.toSorted((a, b) => a.writtenAt.localeCompare(b.writtenAt)).at(-1);
  const isOfRow = card?.repositoryId === id && card.owner.subject === row.user.subject;
  if (card === undefined || !isOfRow || Date.parse(card.writtenAt) <= since.getTime()) return false;
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
