import { findRowOfPlace, saveFoundElsewhere } from '../../database/repositories/adoptions.ts';
import type { CardRow } from '../../database/repositories/cards.ts';
import type { RepositoryCard, WrittenCard } from '../../domain/repository-card.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { repositoryExists } from '../../store/repository/exists.ts';
import { openRepository } from '../../store/repository/repository.ts';
import { openPassword, sealPassword } from '../../vault/row-seals.ts';
import { resetMark } from '../keys/marks.ts';
import { ownOf } from '../nights/own-snapshots.ts';
import { storeOf } from '../store/move-repository.ts';
import { readNewestCard } from './find-repositories.ts';
import { takeOverCard } from './take-over-cards.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database' | 'keyring' | 'log' | 'store'>;

/** What became of it, as of any that is adopted. */
interface Followed {
  readonly location: string;
  readonly state: 'adopted' | 'adoptable' | 'known' | 'refused';
  readonly owner?: RepositoryCard['owner'];
  readonly snapshots?: number;
  readonly newest?: string;
  readonly problem?: string;
}

/**
 * Of a repository that is known here: where the rows say that it is in another store, it is followed to this one if the newest card of both places is here.
 * Rows that were exported before a move are so: a move takes the card along. What was left in the other store counts as its old copy.
 */
export async function followMove(
  resources: Needs,
  location: string,
  { at, dryRun, by }: { at: string | null; dryRun: boolean; by: string },
): Promise<Followed> {
  const { clock, database, keyring, log, store } = resources;
  try {
    const row = await findRowOfPlace(database, location);
    const card = row && (await cardOfMoved(resources, row, at));
    if (row === null || card === null) return { location, state: 'known' };
    const { owner, password } = card;
    const snapshots = await Array.fromAsync(
      (await openRepository(store(location, at), password)).listSnapshots(() => undefined),
    );
    const newest = ownOf(snapshots, clock.now()).at(-1)?.snapshot.time;
    const about = { location, owner, snapshots: snapshots.length, ...(newest && { newest }) };
    if (dryRun) return { ...about, state: 'adoptable' };
    const found = {
      row,
      store: at,
      about: storeOf(resources, { store: at }),
      formerStore: (await repositoryExists(store(location, row.store))) ? storeOf(resources, row) : null,
      password: sealPassword(keyring, { ...row, store: at }, password),
      at: clock.now(),
      by,
    };
    if (!(await saveFoundElsewhere(database, found))) return { location, state: 'known' };
    await takeOverCard(resources, { row, card, by });
    await resetMark(resources, row.userId);
    log.info('repository.adopted', { location, userId: row.userId });
    return { ...about, state: 'adopted' };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { location, state: 'refused', problem: error.message };
  }
}

/** The card in this store of a repository that was moved here since; null where the rows are right. */
async function cardOfMoved(resources: Needs, row: CardRow, at: string | null): Promise<WrittenCard | null> {
  const { keyring, store } = resources;
  const { id, location, user } = row;
  if (storeOf(resources, { store: at }) === storeOf(resources, row)) return null;
  const { card } = await readNewestCard(keyring, store(location, at), location);
  const isOfRow =
    card?.repositoryId === id && card.owner.subject === user.subject && card.password === openPassword(keyring, row);
  if (card === undefined || !isOfRow) return null;
  const { card: former } = await readNewestCard(keyring, store(location, row.store), location);
  return former === undefined || former.writtenAt < card.writtenAt ? card : null;
}
