import type { Clock } from '../../clock.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Backend, FileType, ListedFile } from './backend.ts';

export interface RetryOptions {
  readonly clock: Clock;
  /** Attempts in all; 5 by default. */
  readonly attempts?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** The same backend, retrying what may pass (the error says so) with twice the pause each time. */
export function retrying(backend: Backend, options: RetryOptions): Backend {
  return {
    location: backend.location,
    save: (type, name, bytes) => saveWithRetries(backend, options, type, name, bytes),
    load: (type, name, range) => withRetries(options, () => backend.load(type, name, range)),
    list: (type) => listWithRetries(backend, options, type),
    stat: (type, name) => withRetries(options, () => backend.stat(type, name)),
    remove: (type, name) => removeWithRetries(backend, options, type, name),
    vacate: () => withRetries(options, () => backend.vacate()),
  };
}

async function withRetries<T>(options: RetryOptions, work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      const wait = isAppError(error) ? error.retry : undefined;
      if (wait === undefined || attempt >= (options.attempts ?? 5)) throw error;
      await options.clock.sleep(wait.afterMs * 2 ** (attempt - 1), options.signal);
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
