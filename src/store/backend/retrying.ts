import type { Clock } from '../../clock.ts';
import { AppError, isAppError } from '../../errors.ts';
import { type Backend, type FileType, type ListedFile, pathOf } from './backend.ts';

export interface RetryOptions {
  readonly clock: Clock;
  /** Attempts in all; 5 by default. */
  readonly attempts?: number;
  /** Where pauses stop growing; they do not by default. */
  readonly longestPauseMs?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** How many of the files that were saved last are remembered as existing. */
const mostRecent = 64;

/**
 * The same backend, retrying what may pass (the error says so) with twice the pause each time. A file that was saved here is waited for
 * where the store does not show it yet.
 */
export function retrying(backend: Backend, options: RetryOptions): Backend {
  const recent = new Set<string>();
  const remember = (path: string) => {
    recent.add(path);
    const [oldest] = recent;
    if (recent.size > mostRecent && oldest !== undefined) recent.delete(oldest);
  };
  const look = <T>(type: FileType, name: string, work: () => Promise<T>) => {
    const isExpected = recent.has(pathOf(type, name));
    return withRetries(options, () => (isExpected ? work().catch(waitForIt) : work()));
  };
  return {
    location: backend.location,
    ...(backend.resticOptions && { resticOptions: backend.resticOptions }),
    save: async (type, name, bytes) => {
      await saveWithRetries(backend, options, type, name, bytes);
      remember(pathOf(type, name));
    },
    load: (type, name, range, memory) => look(type, name, () => backend.load(type, name, range, memory)),
    list: (type) => listWithRetries(backend, options, type),
    stat: (type, name) => look(type, name, () => backend.stat(type, name)),
    remove: async (type, name) => {
      recent.delete(pathOf(type, name));
      await removeWithRetries(backend, options, type, name);
    },
    vacate: () => withRetries(options, () => backend.vacate()),
  };
}

/** What was saved and is not there cannot be gone for good yet. */
function waitForIt(error: unknown): never {
  if (!isAppError(error, 'store/not-found')) throw error;
  throw new AppError('store/not-found', error.message, { cause: error, retry: { afterMs: 500 } });
}

/** Does the work, and again while what it throws says that this may help; throws the last error. */
export async function withRetries<T>(options: RetryOptions, work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      const wait = isAppError(error) ? error.retry : undefined;
      if (wait === undefined || attempt >= (options.attempts ?? 5)) throw error;
      const pauseMs = Math.min(wait.afterMs * 2 ** (attempt - 1), options.longestPauseMs ?? Number.POSITIVE_INFINITY);
      await options.clock.sleep(pauseMs, options.signal);
    }
  }
}

/** A save that failed may still have been done: an identical file under that name is then ours. */
function saveWithRetries(
  backend: Backend,
  options: RetryOptions,
  type: FileType,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  return withRetries(options, async (attempt) => {
    try {
      await backend.save(type, name, bytes);
    } catch (error) {
      if (attempt === 1 || !isAppError(error, 'store/exists')) throw error;
      if (!(await backend.load(type, name)).equals(bytes)) throw error;
    }
  });
}

/** A removal that failed may still have been done. */
function removeWithRetries(backend: Backend, options: RetryOptions, type: FileType, name: string): Promise<void> {
  return withRetries(options, async (attempt) => {
    try {
      await backend.remove(type, name);
    } catch (error) {
      if (attempt === 1 || !isAppError(error, 'store/not-found')) throw error;
    }
  });
}

/** A listing that breaks starts over, so it is complete before any of it is handed on. */
async function* listWithRetries(backend: Backend, options: RetryOptions, type: FileType): AsyncGenerator<ListedFile> {
  yield* await withRetries(options, async () => {
    const files = await Array.fromAsync(backend.list(type));
    if (new Set(files.map(({ name }) => name)).size === files.length) return files;
    throw new AppError('store/unavailable', 'The store listed a file twice.', { retry: { afterMs: 500 } });
  });
}
