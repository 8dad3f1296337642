import { isAppError } from '../../errors.ts';
import { type Backend, configName, type FileType } from '../backend/backend.ts';

/** Whether the store has the file. Stores may list late what they have. */
export async function fileExists(backend: Pick<Backend, 'stat'>, type: FileType, name: string): Promise<boolean> {
  return backend.stat(type, name).then(
    () => true,
    (error: unknown) => (isAppError(error, 'store/not-found') ? false : Promise.reject(error)),
  );
}

/** Whether there is a repository at this place, whoever may open it. */
export async function repositoryExists(backend: Pick<Backend, 'stat'>): Promise<boolean> {
  return fileExists(backend, 'config', configName);
}
