import { findRetention, saveRetentionHold } from '../../database/retention.ts';
import { isEmpty } from '../../domain/retention/rule.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { forgetSnapshots, type RetentionNeeds } from './forget-snapshots.ts';
import { ruleOf } from './judge-snapshots.ts';
import { pruneRepository } from './prune-repository.ts';

const by = 'schedule';
const pruneEveryMs = 7 * 86_400_000;

/**
 * Does what the person agreed to after a run: forgets what their rule lets go and, once a week, removes the data that only those
 * snapshots needed. Why it could not is put on record and logged; it is tried again after the next run.
 */
export async function retain(
  resources: RetentionNeeds & Pick<Resources, 'log'>,
  { userId, signal }: { userId: string; signal: AbortSignal },
): Promise<void> {
  const { clock, database } = resources;
  const log = resources.log.with({ userId });
  try {
    const facts = await findRetention(database, userId);
    if (facts === null || facts.agreedAt === null || isEmpty(ruleOf(facts))) return;
    const { going, hold } = await forgetSnapshots(resources, { userId, by, signal });
    if (hold !== null) return log.warn('retention.held', { hold });
    log.info('retention.done', { forgotten: going.length });
    const since = (facts.prunedAt ?? facts.agreedAt).getTime();
    if (clock.now().getTime() - since < pruneEveryMs) return;
    const { bytesFreed, packsRemoved, packsRepacked } = await pruneRepository(resources, { userId, by, signal });
    log.info('prune.done', { bytesFreed, packsRemoved, packsRepacked });
  } catch (error) {
    if (signal.aborted) return;
    log.warn('retention.failed', { error });
    const hold = isAppError(error) ? error.code : 'internal';
    await saveRetentionHold(database, { userId, hold }).catch((cause) =>
      log.warn('retention.failed', { error: cause }),
    );
  }
}
