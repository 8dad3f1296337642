import { createHash } from 'node:crypto';
import { findRepository, type PersonRepositoryRow } from '../../database/repositories/repositories.ts';
import { AppError, type ErrorCode, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { holdKey } from '../../store/history/held-key.ts';
import { cachedTreeBytes, type History, openHistory } from '../../store/history/history.ts';
import { openWithKey } from '../../store/repository/repository.ts';
import { noRepositoryYet, openRepositoryOf } from '../nights/open-person-repository.ts';
import { letGoOf } from './let-go.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'histories' | 'keyring' | 'log' | 'repositoryKeys' | 'store'>;

/**
 * All snapshots of a person, ready to be looked at: held open for a while in this process, so that the next page costs neither the
 * derivation of the key, which is kept as long as they are signed in, nor the index. The row is read each time, so whatever ends the repository, in whichever process, ends this
 * too. Throws `repository/not-found` before the first run and after an erasure, and `repository/not-usable` where what was made cannot be opened.
 */
export async function openPersonHistory(resources: Needs, userId: string): Promise<History> {
  const { clock, database, histories, log, repositoryKeys, store } = resources;
  const row = await findRepository(database, userId);
  if (row === null) {
    letGoOf(resources, userId);
    throw noRepositoryYet();
  }
  const generation = generationOf(row);
  const derive = async () => holdKey(await openRepositoryOf(resources, row));
  const open = async () => {
    const key = await repositoryKeys.hold(userId, generation, derive);
    const repository = await openWithKey(store(row.location, row.store), key, { cachedTreeBytes });
    return openHistory(repository, (error) => log.warn('repository.damaged', { userId, error }));
  };
  const history = await histories.hold(userId, generation, open).catch((error: unknown) => {
    throw row.recoveryKeyFile === null && isAppError(error, 'repository/not-found') ? error : asNotUsable(error);
  });
  if (row.eraseAt !== null && row.eraseAt <= clock.now()) letGoOf(resources, userId);
  return history;
}

/** Before anything of it was read, these say nothing of one snapshot. */
const ofAll: readonly ErrorCode[] = ['repository/not-found', 'repository/damaged', 'repository/wrong-password'];

function asNotUsable(cause: unknown): unknown {
  return isAppError(cause) && ofAll.includes(cause.code)
    ? new AppError('repository/not-usable', cause.message, { cause, detail: cause.detail })
    : cause;
}

/** Another one once the person has another repository, recovery key or sealed password, or it was moved. */
function generationOf({ id, store, sealedPassword, recoveryKeyFile }: PersonRepositoryRow): string {
  return `${id} ${createHash('sha256').update(sealedPassword).digest('hex')} ${recoveryKeyFile} ${store}`;
}
