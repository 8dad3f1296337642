import {
  beginErasing,
  type Contents,
  findHalfErased,
  finishErasing,
  listRepositoriesToErase,
  type RepositoryToErase,
} from '../../database/erasures.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Backend, FileType } from '../../store/backend/backend.ts';
import { inParallel } from '../../store/repository/in-parallel.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'log' | 'store'>;

/** Keys first: without them nothing that is left can be opened. */
const types: readonly FileType[] = ['key', 'config', 'snapshot', 'index', 'data', 'lock'];
const batch = 20;
const width = 16;
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
 * Removes every file of a repository, and its row only once the store lists nothing of it. False where consent was given
 * again just before.
 */
async function eraseRepository(
  { clock, database, log, store }: Needs,
  repository: RepositoryToErase,
  signal?: AbortSignal,
): Promise<boolean> {
  const backend = store(repository.location);
  const contents = await contentsOf(backend);
  if (!(await beginErasing(database, { repository, contents, at: clock.now() }))) return false;
  await removeAll(backend, signal);
  const { files } = await contentsOf(backend);
  if (files > 0)
    throw new AppError('store/unavailable', `The store still lists ${files} files of a repository that was erased.`);
  await backend.vacate();
  await finishErasing(database, { repository, at: clock.now() });
  log.info('repository.erased', { userId: repository.userId, location: repository.location });
  return true;
}

async function contentsOf(backend: Backend): Promise<Contents> {
  const contents = { snapshots: 0, files: 0, bytes: 0 };
  for (const type of types)
    for await (const { size } of backend.list(type)) {
      contents.snapshots += type === 'snapshot' ? 1 : 0;
      contents.files += 1;
      contents.bytes += size;
    }
  return contents;
}

async function removeAll(backend: Backend, signal?: AbortSignal): Promise<void> {
  for (const type of types) {
    const names = await Array.fromAsync(backend.list(type), ({ name }) => name);
    const remove = async (name: string) => {
      signal?.throwIfAborted();
      await backend.remove(type, name);
    };
    // Another worker may be erasing it too, and may have removed the file.
    const failed = (error: unknown) => {
      if (!isAppError(error, 'store/not-found')) throw error;
    };
    await Array.fromAsync(inParallel(names, width, remove, failed));
  }
}
