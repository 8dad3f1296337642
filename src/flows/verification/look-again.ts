import { findLastCompleteStart } from '../../database/nights/snapshot-runs.ts';
import { saveBack } from '../../database/repositories/gone-repositories.ts';
import { findRepository } from '../../database/repositories/repositories.ts';
import { eachGoneRepository } from '../../database/repositories/verification-views.ts';
import { findVerification, type VerificationRow } from '../../database/repositories/verifications.ts';
import { type DamageState, damageStateOf } from '../../domain/damage.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { openPersonRow } from '../nights/open-person-repository.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'log' | 'store'>;

/**
 * Looks again at the repositories that are known to be gone, and puts on record which of them open again, as after their disk was mounted or their
 * bucket filled: they are as damaged as they were known to be before, and their verification is due. A store that does not answer is left until
 * the next time. Answers how many are back.
 */
export async function lookAgain(resources: Needs, { signal }: { signal: AbortSignal }): Promise<number> {
  const { clock, database, log } = resources;
  const away = new Set<string | null>();
  let back = 0;
  for await (const userIds of eachGoneRepository(database))
    for (const userId of userIds) {
      if (signal.aborted) return back;
      const row = await findRepository(database, userId);
      if (row === null || away.has(row.store)) continue;
      const known = await findVerification(database, userId);
      const failure: unknown = await openPersonRow(resources, row).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (isAppError(failure, 'store/unavailable')) away.add(row.store);
      if (failure !== undefined || known === null) continue;
      const state = await stateBefore(resources, known);
      if (!(await saveBack(database, { known, id: row.id, store: row.store, state, at: clock.now() }))) continue;
      back += 1;
      log.info('repository.back', { userId, damage: state });
    }
  return back;
}

/** What was known of it while it was there. */
async function stateBefore(
  { database }: Needs,
  { userId, damage, foundAt, accepted }: VerificationRow,
): Promise<DamageState | null> {
  if (damage === null || foundAt === null) return null;
  const readAgainAt = await findLastCompleteStart(database, userId);
  return damageStateOf({ damage, foundAt, readAgainAt, accepted: new Set(accepted) });
}
