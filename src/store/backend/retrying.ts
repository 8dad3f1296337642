import type { Clock } from '../../clock.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Backend, FileType, ListedFile } from './backend.ts';

export interface Patience {
  readonly clock: Clock;
  /** Calls in all; 5 unless told. */
  readonly attempts?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/** The same backend, trying again what can pass (the error says so), with twice the pause each time. */
export function retrying(backend: Backend, patience: Patience): Backend {
  return {
    location: backend.location,
    save: (type, name, bytes) => saveAgain(backend, patience, type, name, bytes),
    load: (type, name, range) => again(patience, () => backend.load(type, name, range)),
    list: (type) => listAgain(backend, patience, type),
    stat: (type, name) => again(patience, () => backend.stat(type, name)),
    remove: (type, name) => removeAgain(backend, patience, type, name),
    vacate: () => again(patience, () => backend.vacate()),
  };
}

async function again<T>(patience: Patience, work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      const wait = isAppError(error) ? error.retry : undefined;
      if (wait === undefined || attempt >= (patience.attempts ?? 5)) throw error;
      await patience.clock.sleep(wait.afterMs * 2 ** (attempt - 1), patience.signal);
    }
  }
}

/** A save that failed may still have arrived: the whole file under that name is then ours. */
function saveAgain(
  backend: Backend,
  patience: Patience,
  type: FileType,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  return again(patience, async (attempt) => {
    try {
      await backend.save(type, name, bytes);
    } catch (error) {
      if (attempt === 1 || !isAppError(error, 'store/exists')) throw error;
      if (!(await backend.load(type, name)).equals(bytes)) throw error;
    }
  });
}

/** A removal that failed may still have happened. */
function removeAgain(backend: Backend, patience: Patience, type: FileType, name: string): Promise<void> {
  return again(patience, async (attempt) => {
    try {
      await backend.remove(type, name);
    } catch (error) {
      if (attempt === 1 || !isAppError(error, 'store/not-found')) throw error;
    }
  });
}

/** A listing that breaks is begun anew, so it is gathered before any of it is handed on. */
async function* listAgain(backend: Backend, patience: Patience, type: FileType): AsyncGenerator<ListedFile> {
  yield* await again(patience, async () => {
    const files = await Array.fromAsync(backend.list(type));
    if (new Set(files.map(({ name }) => name)).size === files.length) return files;
    throw new AppError('store/unavailable', 'The store listed a file twice.', { retry: { afterMs: 500 } });
  });
}
