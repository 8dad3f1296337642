import { mustHaveFiles } from '../../database/repositories/lost-repositories.ts';
import { findRepository } from '../../database/repositories/repositories.ts';
import {
  type RepositoryPlace,
  saveFormerDeleted,
  saveMovingTo,
  switchStore,
} from '../../database/repositories/repository-moves.ts';
import { placeOf } from '../../domain/marks.ts';
import { type StoreAddress, storeUrl } from '../../domain/store-address.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Backend } from '../../store/backend/backend.ts';
import { removeCards } from '../../store/repository/cards.ts';
import { checkRepository, type ReadShare } from '../../store/repository/check.ts';
import { clearPlace } from '../../store/repository/clear-place.ts';
import { type CopyReport, copiedTypes, copyRepository, refuseAnother } from '../../store/repository/copy-repository.ts';
import { repositoryExists } from '../../store/repository/exists.ts';
import { lockRepository } from '../../store/repository/lock.ts';
import { openPassword, sealPassword } from '../../vault/row-seals.ts';
import { readMark, writeMark } from '../keys/marks.ts';
import { openRepositoryOf } from '../nights/open-person-repository.ts';
import { refuseIfMoved } from './refuse-if-moved.ts';

export type MoveNeeds = Pick<Resources, 'clock' | 'database' | 'keyring' | 'lockOwner' | 'log' | 'store'> & {
  readonly config: Pick<Resources['config'], 'store'>;
};

export interface Move {
  readonly to: StoreAddress;
  /** Packs of the copy that are read whole before it is believed; none by default. */
  readonly readData?: ReadShare;
  readonly by: string;
  readonly signal?: AbortSignal;
}

/** Where a repository is. */
export function storeOf({ config }: Pick<MoveNeeds, 'config'>, { store }: Pick<RepositoryPlace, 'store'>): string {
  return store ?? storeUrl(config.store);
}

/**
 * Moves a repository to another store: copies it under its exclusive lock, opens and checks the copy, and switches to it. The old files
 * stay, and are a copy from then on. Where this is interrupted, the repository is still where it was, and the next call continues; a call
 * that names the store where it is gives up a move that was begun. Null where it is there already, or where the first run has not made it
 * yet.
 *
 * Throws
 * - `repository/locked` while anybody uses it,
 * - `repository/not-found` where its erasing begins at that moment,
 * - `repository/damaged` where it or the copy is damaged,
 * - `store/unavailable` where nothing of it is where it should be,
 * - `store/exists` where another repository is in the way,
 * - `store/may-not-delete` where the key may not do this, and
 * - `request/invalid` where another move must be ended first.
 */
export async function moveRepository(
  resources: MoveNeeds,
  place: RepositoryPlace,
  { to, readData = 'none', by, signal }: Move,
): Promise<CopyReport | null> {
  const { clock, database, keyring, lockOwner, store } = resources;
  const target = storeUrl(to);
  const row = await findRepository(database, place.userId);
  if (row === null) return null;
  const here = storeOf(resources, row);
  if (here === target) {
    if (row.movingTo === null && !(await repositoryExists(store(row.location, row.store))))
      await refuseIfGone(resources, row);
    return giveUp(resources, row);
  }
  refuseUnended(row, { target, here });
  const repository = await openRepositoryOf(resources, row).catch(unlessMissing);
  if (repository === undefined) {
    await refuseIfGone(resources, row);
    return null;
  }
  await using lock = await lockRepository(repository, { clock, ...lockOwner, exclusive: true, signal });
  await refuseIfMoved(resources, row);
  const there = store(row.location, target);
  // Whoever gives up what was begun has the place cleared.
  await refuseAnother(repository.backend, there);
  await saveMovingTo(database, row.id, target);
  const report = await copyRepository(repository.backend, there, { signal: lock.signal }).catch(
    async (error: unknown) => {
      const isRefused = isAppError(error) && error.retry === undefined;
      if (row.movingTo === null && isRefused && (await isEmpty(there))) await saveMovingTo(database, row.id, null);
      throw error;
    },
  );
  const { sealed: sealedPassword, keyId } = sealPassword(
    keyring,
    { ...row, store: target },
    openPassword(keyring, row),
  );
  await proveCopy(resources, { ...row, store: target, sealedPassword }, { readData, signal: lock.signal });
  lock.signal.throwIfAborted();
  // With a card the old copy would be taken for the repository where the database is lost.
  await removeCards(repository.backend);
  const { id, recoveryKeyFile, store: from } = row;
  const at = clock.now();
  const moved = { id, from, recoveryKeyFile, to: target, formerStore: here, sealedPassword, keyId, at, by };
  const [old, fresh] = [placeOf(row), placeOf({ ...row, store: target })];
  // Before the row says so: that this place was left once must not stop anybody now.
  await saveMoved(resources, row.userId, { fresh });
  if (await switchStore(database, moved)) {
    await saveMoved(resources, row.userId, { fresh, old });
    return report;
  }
  throw new AppError('repository/locked', 'The repository was changed while it was copied. Run the command again.', {
    retry: { afterMs: 1000 },
  });
}

/** Deletes what a move left in the former store. False where there is nothing. Throws where the repository itself is not to be found. */
export async function deleteFormerCopy(
  { clock, database, keyring, store }: Pick<MoveNeeds, 'clock' | 'database' | 'keyring' | 'store'>,
  place: RepositoryPlace,
  { by, signal }: Pick<Move, 'by' | 'signal'>,
): Promise<boolean> {
  const row = await findRepository(database, place.userId);
  if (row === null || row.formerStore === null) return false;
  openPassword(keyring, row);
  const { id, location, formerStore } = row;
  if (!(await repositoryExists(store(location, row.store))))
    throw new AppError('store/unavailable', 'The repository is not where it was moved to, so its old copy stays.');
  await clearPlace(store(location, formerStore), signal);
  await saveFormerDeleted(database, { id, formerStore, at: clock.now(), by });
  return true;
}

/** Throws where there must be files: the first run has made the repository, and nothing of it is where the row, or STORE_URL, says. */
async function refuseIfGone(resources: MoveNeeds, row: Row): Promise<void> {
  if (!(await mustHaveFiles(resources.database, row.id))) return;
  const cure =
    row.store === null
      ? ' If STORE_URL was changed before the repositories were moved, set it back, move them, and change it then.'
      : '';
  throw new AppError(
    'store/unavailable',
    `The store ${storeOf(resources, row)} holds nothing of it.${cure} Otherwise mount the disk, or bring the files back from a copy of the store.`,
  );
}

/** Where the mark cannot be written, the next night writes it. */
async function saveMoved(resources: MoveNeeds, userId: string, { fresh, old }: { fresh: string; old?: string }) {
  try {
    const { mark } = await readMark(resources, userId);
    if (old === undefined && !mark.left.includes(fresh)) return;
    const left = mark.left.filter((place) => place !== fresh && place !== old);
    if (old === undefined) await writeMark(resources, userId, { ...mark, left });
    else await writeMark(resources, userId, { ...mark, place: fresh, left: [...left, old] });
  } catch (error) {
    // A place that still counts as left would stop the nights: the repository stays where it is.
    if (old === undefined) throw error;
    resources.log.warn('mark.failed', { userId, error });
  }
}

/** False if another repository is at the place, which must not be cleared. */
async function holdsNoOther(here: Backend, there: Backend): Promise<boolean> {
  try {
    await refuseAnother(here, there);
    return true;
  } catch (error) {
    if (isAppError(error, 'store/exists')) return false;
    if (isAppError(error, 'store/not-found')) return true;
    throw error;
  }
}

/** Whether a place holds nothing of a repository. False where that cannot be seen. */
async function isEmpty(there: Backend): Promise<boolean> {
  try {
    for (const type of copiedTypes) for await (const _ of there.list(type)) return false;
    return true;
  } catch {
    return false;
  }
}

type Row = NonNullable<Awaited<ReturnType<typeof findRepository>>>;

async function giveUp({ database, store }: MoveNeeds, { id, location, movingTo, store: own }: Row): Promise<null> {
  if (movingTo === null) return null;
  const there = store(location, movingTo);
  if (await holdsNoOther(store(location, own), there)) await clearPlace(there);
  await saveMovingTo(database, id, null);
  return null;
}

/** The files of every other place must be accounted for, or nobody would ever remove them. */
function refuseUnended(
  { movingTo, formerStore }: Row,
  { target, here }: { readonly target: string; readonly here: string },
): void {
  if (formerStore !== null)
    throw new AppError(
      'request/invalid',
      `First delete the old copy at ${formerStore}: nightkeep store move --all --delete-old.`,
    );
  if (movingTo !== null && movingTo !== target)
    throw new AppError(
      'request/invalid',
      `A move to ${movingTo} was begun. Continue it (--to '${movingTo}'), or first cancel it by moving to where the repository is: --to '${here}'.`,
    );
}

/** Opens the copy with the key of the service and checks that its snapshots lack nothing. */
async function proveCopy(
  resources: MoveNeeds,
  row: Row,
  options: { readData: ReadShare; signal: AbortSignal },
): Promise<void> {
  const { findings } = await checkRepository(await openRepositoryOf(resources, row), options);
  const [first, ...rest] = findings.filter(({ severity }) => severity === 'error');
  if (first === undefined) return;
  const others = rest.reduce((sum, { more = 1 }) => sum + more, 0);
  throw new AppError(
    'repository/damaged',
    `The copy is damaged, so the repository stays where it is: ${first.message}${others > 0 ? ` And ${others} more.` : ''}`,
  );
}

/** The first run makes a repository, in the store of the settings. */
function unlessMissing(error: unknown): undefined {
  if (!isAppError(error, 'repository/not-found')) throw error;
}
