import { abortToo, whenAborted } from '../../abort.ts';
import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import type { Backend } from '../backend/backend.ts';
import { type IndexId, parseId } from '../format/ids.ts';
import { type LockOptions, lockRepository, type RepositoryLock } from './lock.ts';
import type { Lockable } from './locks.ts';
import type { Repository } from './repository.ts';

/** A lock that is being taken. Nothing may be written before it has settled. */
export interface SettlingLock extends AsyncDisposable {
  /** Rejects as `lockRepository`; that of `loadWhileLocking` also with `repository/locked` when an index file went meanwhile. */
  readonly settled: Promise<RepositoryLock>;
  /** Aborted when the lock cannot be taken or is lost later, or by the signal that it is taken with. */
  readonly signal: AbortSignal;
}

/**
 * Loads the index while the lock settles, which takes a while by design. That is as safe as doing one after the other: whoever
 * removes packs first replaces the index files that name them, so it is enough to see afterwards that none of them is gone. What
 * `whenLocked` throws under the lock counts as if the lock had been refused.
 */
export async function loadWhileLocking(
  repository: Pick<Repository, 'backend' | 'masterKey' | 'loadIndex'>,
  { whenLocked, ...options }: LockOptions & { readonly whenLocked?: () => Promise<void> },
): Promise<SettlingLock> {
  const listed = await listIndexIds(repository.backend);
  const lock = beginLock(repository, {
    ...options,
    whenLocked: async () => {
      await refuseIfGone(listed, repository.backend);
      await whenLocked?.();
    },
  });
  try {
    await repository.loadIndex(undefined, listed);
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
  return lock;
}

/** Begins to take a lock, for who looks meanwhile whether what is read before it settles still holds then. What `whenLocked` throws counts as above. */
export function beginLock(
  repository: Lockable,
  { whenLocked, ...options }: LockOptions & { readonly whenLocked?: () => Promise<void> },
): SettlingLock {
  const taking = lockRepository(repository, options);
  const settled = taking.then(async (lock) => {
    await whenLocked?.();
    return lock;
  });
  const ended = new AbortController();
  const stopping = options.signal && abortToo(ended, options.signal);
  const end = (reason: unknown) => ended.abort(reason);
  settled.then(({ signal }) => whenAborted(signal, end), end);
  const release = () => {
    stopping?.[Symbol.dispose]();
    return taking.then(
      (lock) => lock[Symbol.asyncDispose](),
      () => undefined,
    );
  };
  return { settled, signal: ended.signal, [Symbol.asyncDispose]: release };
}

function listIndexIds(backend: Backend): Promise<IndexId[]> {
  return Array.fromAsync(backend.list('index'), ({ name }) => parseId<IndexId>(name));
}

async function refuseIfGone(before: readonly IndexId[], backend: Backend): Promise<void> {
  const now = new Set(await listIndexIds(backend));
  if (!before.every((id) => now.has(id))) throw prunedMeanwhile();
}

/** What was read of an index does not hold any more. */
export function prunedMeanwhile(): AppError {
  return new AppError('repository/locked', 'Another program has pruned the repository meanwhile. Try again.', {
    retry: { afterMs: minuteMs },
  });
}
