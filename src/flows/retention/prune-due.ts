import { isStillQuiet } from '../../database/repositories/quiet-repositories.ts';
import { listPruneDue } from '../../database/repositories/retention.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { RetentionNeeds } from './forget-snapshots.ts';
import { pruneRepository } from './prune-repository.ts';

const everyMs = 7 * 86_400_000;
/** No run begins while a repository is pruned, so that it is left alone where one is due so soon. */
const quietMs = 15 * 60_000;
const atOnce = 20;

/**
 * Removes the data of forgotten snapshots once a week, repository by repository, if no run is under way or due soon. Skips repositories that
 * another program uses; any other failure is logged and tried again the next time.
 */
export async function pruneDue(
  resources: RetentionNeeds & Pick<Resources, 'log'>,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { clock, database } = resources;
  const within = (ms: number) => new Date(clock.now().getTime() + ms);
  const due = { prunedBefore: within(-everyMs), quietUntil: within(quietMs), limit: atOnce };
  for (const { userId } of await listPruneDue(database, due)) {
    if (signal.aborted) return;
    // The repositories before this one may have taken long, and its person's night may be near now.
    if (!(await isStillQuiet(database, { userId, until: within(quietMs) }))) continue;
    const log = resources.log.with({ userId });
    try {
      const { bytesFreed, packsRemoved, packsRepacked } = await pruneRepository(resources, {
        userId,
        by: 'schedule',
        signal,
      });
      log.info('prune.done', { bytesFreed, packsRemoved, packsRepacked });
    } catch (error) {
      if (!isAppError(error, 'repository/locked')) log.warn('prune.failed', { error });
    }
  }
}
