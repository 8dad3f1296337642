import {
  beforeAllToErase,
  beginErasing,
  findHalfErased,
  finishErasing,
  listRepositoriesToErase,
  type RepositoryToErase,
} from '../../database/repositories/erasures.ts';
import { mustHaveFiles } from '../../database/repositories/lost-repositories.ts';
import { inKeysTurn } from '../../database/repositories/repositories.ts';
import { erasureRow } from '../../domain/marks.ts';
import { minuteMs } from '../../durations.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Backend } from '../../store/backend/backend.ts';
import { clearPlace, contentsOf } from '../../store/repository/clear-place.ts';
import { refuseHeld } from '../../store/repository/lock.ts';
import { openRepository } from '../../store/repository/repository.ts';
import { erasureSealing, openPassword } from '../../vault/row-seals.ts';
import { requireNewest } from '../keys/marks.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'lockOwner' | 'log' | 'marks' | 'store'>;

const batch = 20;
/** A store that is full or read-only stays so for a while. */
const pauseAfterFailureMs = minuteMs;

/**
 * Erases the repositories that are due and that no worker uses any more, and finishes those that a crash left half erased.
 * One that fails does not stop the others. Returns how many were erased.
 */
export async function eraseRepositories(
  resources: Needs & Pick<Resources, 'failedErasures'>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<number> {
  const { clock, failedErasures, log } = resources;
  let erased = 0;
  for await (const repository of eachToErase(resources)) {
    const { id, userId, location } = repository;
    const failedAt = failedErasures.get(id)?.getTime() ?? Number.NEGATIVE_INFINITY;
    if (clock.now().getTime() < failedAt + pauseAfterFailureMs) continue;
    failedErasures.delete(id);
    try {
      erased += (await eraseRepository(resources, repository, signal)) ? 1 : 0;
    } catch (error) {
      failedErasures.set(id, clock.now());
      if (isAppError(error, 'repository/locked')) log.info('repository.erase-waits', { userId, location, error });
      else if (isAppError(error) && error.code.startsWith('seal/'))
        log.error('repository.erase-refused', { userId, location, error });
      else log.error('repository.erase-failed', { userId, location, error });
    }
  }
  return erased;
}

/** All of them, so that those that cannot be erased keep nobody else's. */
async function* eachToErase({ clock, database }: Needs): AsyncGenerator<RepositoryToErase> {
  const at = clock.now();
  for (let after: typeof beforeAllToErase | undefined = beforeAllToErase; after !== undefined; ) {
    const found: RepositoryToErase[] = await listRepositoriesToErase(database, { at, after, limit: batch });
    yield* found;
    after = found[batch - 1];
  }
}

/** Finishes erasing a person's repository where that has begun, so that a new one can take its place. */
export async function eraseBeforeUse(
  resources: Needs,
  { userId, signal }: { userId: string; signal?: AbortSignal },
): Promise<void> {
  const repository = await findHalfErased(resources.database, userId);
  if (repository !== null) await eraseRepository(resources, repository, signal);
}

/**
 * Removes every file of a repository and of its copies in other stores, and its row only once these list nothing of it. False
 * where consent was given again just before. Throws `seal/broken` and `seal/replayed` where the row is not as Nightkeep left it, and
 * `repository/locked` while somebody who came before may still write there.
 */
async function eraseRepository(needs: Needs, due: RepositoryToErase, signal?: AbortSignal): Promise<boolean> {
  const { clock, database, keyring, log, store } = needs;
  const { location, userId } = due;
  // Nobody's files go because a row was changed to point at them.
  openPassword(keyring, due);
  await requireChosen(needs, due);
  const contents = await contentsOf(store(location, due.store));
  // A store that is not mounted must not be taken for an empty one: what is there would stay, and its person read that it went.
  if (contents.files === 0 && (await mustHaveFiles(database, due.id)))
    throw new AppError(
      'store/unavailable',
      'There is nothing left of the repository in its place. Mount the store; if it is lost for good: nightkeep store lost.',
    );
  const at = clock.now();
  const repository = await inKeysTurn(database, userId, () =>
    beginErasing(database, { repository: due, contents, at }),
  );
  if (repository === null) return false;
  // Whoever takes a lock, or the turn of the keys, from now on looks at the row then, and goes away.
  await refuseWriters(needs, store(location, repository.store), openPassword(keyring, repository), signal);
  const copies = [repository.movingTo, repository.formerStore].filter((place) => place !== null);
  for (const place of [repository.store, ...copies]) await clearPlace(store(location, place), signal);
  await finishErasing(database, { repository, at: clock.now() });
  log.info('repository.erased', { userId, location });
  return true;
}

/** Throws where nobody who may has chosen that the snapshots are erased by now. */
async function requireChosen(needs: Needs, { eraseSeal: seal, ...row }: RepositoryToErase): Promise<void> {
  const { clock, keyring } = needs;
  const { id, userId } = row;
  const sealing = erasureSealing(keyring);
  const chosen = sealing.chosen({ ...row, seal });
  if (chosen === null || chosen > clock.now())
    throw new AppError(
      'seal/broken',
      `The row of the repository ${id} says that its erasing has begun, and its time has not come. Put the row back as it was.`,
    );
  await requireNewest(needs, userId, { rows: { [erasureRow(id)]: sealing.require({ ...row, seal }) } });
}

/** Nobody can read or write what does not open any more: its keys are damaged, or went first when it was half erased. */
async function refuseWriters(
  { clock, lockOwner }: Needs,
  backend: Backend,
  password: string,
  signal?: AbortSignal,
): Promise<void> {
  const repository = await openRepository(backend, password).catch((error: unknown) => {
    if (!isAppError(error) || error.code.startsWith('store/')) throw error;
    return undefined;
  });
  if (repository !== undefined) await refuseHeld(repository, { clock, ...lockOwner, signal });
}
