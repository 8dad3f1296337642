import { saveGone } from '../../database/repositories/gone-repositories.ts';
import { findRepository } from '../../database/repositories/repositories.ts';
import { type ErrorCode, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { openPersonRow } from '../nights/open-person-repository.ts';

const codes: readonly ErrorCode[] = [
  'repository/not-found',
  'repository/not-usable',
  'repository/wrong-password',
  'repository/damaged',
];

/**
 * Puts on record that the repository of a person is not there, or that nothing opens it, where that is why something failed: until somebody has
 * looked there, nothing of it can be restored. It is opened once more for that, by its row as it is now: one that was moved meanwhile is elsewhere.
 */
export async function tellIfGone(
  resources: Pick<Resources, 'clock' | 'database' | 'keyring' | 'log' | 'store'>,
  { userId, by, error }: { userId: string; by: string; error: unknown },
): Promise<void> {
  const { clock, database, log } = resources;
  if (!isOfOpening(error)) return;
  const row = await findRepository(database, userId);
  if (row === null || row.recoveryKeyFile === null) return;
  const again: unknown = await openPersonRow(resources, row).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!isOfOpening(again)) return;
  log.warn('repository.gone', { userId, error: again });
  await saveGone(database, { userId, id: row.id, store: row.store, at: clock.now(), by });
}

function isOfOpening(error: unknown): boolean {
  return isAppError(error) && codes.includes(error.code);
}
