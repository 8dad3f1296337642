import { findRetention, saveRetentionHold } from '../../database/repositories/retention.ts';
import { isEmpty } from '../../domain/retention/rule.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { forgetSnapshots, type OpenedRepository, type RetentionNeeds } from './forget-snapshots.ts';
import { ruleOf } from './judge-snapshots.ts';

/**
 * Does after a run what the person agreed to: forgets the snapshots that their rule does not keep. If it cannot, the reason is recorded and logged,
 * and it is tried again after the next run. `opened` is the repository that the run had open.
 */
export async function retain(
  resources: RetentionNeeds & Pick<Resources, 'log'>,
  { userId, signal, opened }: { userId: string; signal: AbortSignal; opened?: OpenedRepository | undefined },
): Promise<void> {
  const { database } = resources;
  const log = resources.log.with({ userId });
  try {
    const facts = await findRetention(database, userId);
    if (facts === null || facts.agreedAt === null || isEmpty(ruleOf(facts))) return;
    const { going, hold } = await forgetSnapshots(resources, { userId, by: 'schedule', signal, known: facts, opened });
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
