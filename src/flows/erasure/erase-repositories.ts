import {
  beginErasing,
  findHalfErased,
  finishErasing,
  listRepositoriesToErase,
  type RepositoryToErase,
} from '../../database/erasures.ts';
import type { Resources } from '../../resources.ts';
import { clearPlace, contentsOf } from '../../store/repository/clear-place.ts';
import { openPassword } from '../../vault/row-seals.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'log' | 'store'>;

const batch = 20;
/** A store that is full or read-only stays so for a while. */
const pauseAfterFailureMs = 60_000;

/**
 * Erases the repositories that are due and that no worker uses any more, and finishes those that a crash left half erased.
 * One that fails does not stop the others. Returns how many were erased.
 */
export async function eraseRepositories(
  resources: Needs & Pick<Resources, 'failedErasures'>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<number> {
  const { clock, database, failedErasures, log } = resources;
  let erased = 0;
  for (const repository of await listRepositoriesToErase(database, { at: clock.now(), limit: batch })) {
    const { id, userId, location } = repository;
    const failedAt = failedErasures.get(id)?.getTime() ?? Number.NEGATIVE_INFINITY;
    if (clock.now().getTime() < failedAt + pauseAfterFailureMs) continue;
    failedErasures.delete(id);
    try {
      erased += (await eraseRepository(resources, repository, signal)) ? 1 : 0;
    } catch (error) {
      failedErasures.set(id, clock.now());
      log.error('repository.erase-failed', { userId, location, error });
    }
  }
  return erased;
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
 * where consent was given again just before. Throws `seal/broken` where the row is not as Nightkeep left it.
 */
async function eraseRepository(
  { clock, database, keyring, log, store }: Needs,
  repository: RepositoryToErase,
  signal?: AbortSignal,
): Promise<boolean> {
  // Nobody's files go because a row was changed to point at them.
  openPassword(keyring, repository);
  const { location, movingTo, formerStore } = repository;
  const contents = await contentsOf(store(location, repository.store));
  if (!(await beginErasing(database, { repository, contents, at: clock.now() }))) return false;
  const copies = [movingTo, formerStore].filter((at) => at !== null);
  for (const at of [repository.store, ...copies]) await clearPlace(store(location, at), signal);
  await finishErasing(database, { repository, at: clock.now() });
  log.info('repository.erased', { userId: repository.userId, location: repository.location });
  return true;
}
