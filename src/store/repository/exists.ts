import { isAppError } from '../../errors.ts';
import { type Backend, configName } from '../backend/backend.ts';

/** Whether there is a repository at this place, whoever may open it. */
export async function repositoryExists(backend: Backend): Promise<boolean> {
  return backend.stat('config', configName).then(
    () => true,
    (error) => (isAppError(error, 'store/not-found') ? false : Promise.reject(error)),
  );
}
