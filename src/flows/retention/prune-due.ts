import { isStillQuiet } from '../../database/repositories/quiet-repositories.ts';
import {
  beforeAllPruneDue,
  listPruneDue,
  type PruneDue,
  saveNotPruned,
} from '../../database/repositories/retention.ts';
import { dayMs, minuteMs } from '../../durations.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { RetentionNeeds } from './forget-snapshots.ts';
import { pruneRepository } from './prune-repository.ts';

const everyMs = 7 * dayMs;
/** No run begins while a repository is pruned, so that it is left alone where one is due so soon. */
const quietMs = 15 * minuteMs;
const atOnce = 20;

/**
 * Removes the data of forgotten snapshots once a week, repository by repository, if no run is under way or due soon. Skips repositories that
 * another program uses; that and any other failure is logged and put on record, and tried again the next time.
 */
export async function pruneDue(
  resources: RetentionNeeds & Pick<Resources, 'log'>,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { clock, database } = resources;
  const within = (ms: number) => new Date(clock.now().getTime() + ms);
  for await (const { userId } of eachDue(database, { prunedBefore: within(-everyMs), quietUntil: within(quietMs) })) {
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
      if (signal.aborted) return;
      if (isAppError(error, 'repository/locked')) log.info('prune.waits', { error });
      else log.warn('prune.failed', { error });
      const reason = isAppError(error) ? error.code : 'internal';
      await saveNotPruned(database, { userId, reason, at: clock.now() });
    }
  }
}

/** All of them, so that those that cannot be pruned keep nobody else waiting. */
async function* eachDue(
  database: RetentionNeeds['database'],
  due: { prunedBefore: Date; quietUntil: Date },
): AsyncGenerator<PruneDue> {
  for (let after: PruneDue | undefined = beforeAllPruneDue; after !== undefined; ) {
    const found: PruneDue[] = await listPruneDue(database, { ...due, after, limit: atOnce });
    yield* found;
    after = found[atOnce - 1];
  }
}
