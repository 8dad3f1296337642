import { findRetention, saveRetentionHold } from '../../database/retention.ts';
import { isEmpty } from '../../domain/retention/rule.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { forgetSnapshots, type RetentionNeeds } from './forget-snapshots.ts';
import { ruleOf } from './judge-snapshots.ts';

/**
 * Does what the person agreed to after a run: forgets the snapshots that their rule lets go. Why it could not is put on record
 * and logged; it is tried again after the next run.
 */
export async function retain(
  resources: RetentionNeeds & Pick<Resources, 'log'>,
  { userId, signal }: { userId: string; signal: AbortSignal },
): Promise<void> {
  const { database } = resources;
  const log = resources.log.with({ userId });
  try {
    const facts = await findRetention(database, userId);
    if (facts === null || facts.agreedAt === null || isEmpty(ruleOf(facts))) return;
    const { going, hold } = await forgetSnapshots(resources, { userId, by: 'schedule', signal, known: facts });
    if (hold === null) log.info('retention.done', { forgotten: going.length });
    else log.warn('retention.held', { hold });
  } catch (error) {
    if (signal.aborted) return;
    log.warn('retention.failed', { error });
    const hold = isAppError(error) ? error.code : 'internal';
    await saveRetentionHold(database, { userId, hold }).catch((cause) =>
      log.warn('retention.failed', { error: cause }),
    );
  }
}
