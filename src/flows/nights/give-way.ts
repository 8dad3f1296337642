import { listRunsToGiveWay } from '../../database/nights/turns.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'holder' | 'queues' | 'runWatch'> & {
  readonly config: Pick<Resources['config'], 'concurrency' | 'heavyRuns' | 'turnMs'>;
};

/** This is asked each second, so a turn that ends within this time is waited for: no turn gets longer than it is meant to be. */
const aheadMs = 900;

/**
 * Ends the work on runs of this process that have had a worker for longer than their time, now or before this is asked again, where others wait who would have the place
 * then: what they read is kept, and they go on later. For how long the machine had no processor for this process is nobody's time. Not while the queue is paused, since
 * nobody would take the others.
 */
export async function giveWay(needs: Needs, signal?: AbortSignal): Promise<void> {
  const { clock } = needs;
  const until = clock.elapsed() + aheadMs;
  for (let nextMs = await endOvers(needs); nextMs !== null; nextMs = await endOvers(needs)) {
    if (clock.elapsed() + nextMs > until) return;
    await clock.sleep(nextMs, signal).catch(() => {});
    if (signal?.aborted) return;
  }
}

/** Answers in how many milliseconds the next turn is over. */
async function endOvers({ clock, config, database, holder, queues, runWatch }: Needs): Promise<number | null> {
  if (runWatch.isEmpty()) return null;
  const { concurrency, heavyRuns, turnMs } = config;
  const about = { holder, at: clock.now(), concurrency, heavyRuns, turnMs, heldUp: runWatch.heldUp() };
  const { runIds, nextMs } = await listRunsToGiveWay(database, about);
  if (runIds.length === 0 || (await queues.backUps.isPaused())) return nextMs;
  runWatch.end(
    runIds,
    new AppError('run/gave-way', 'Others were waiting, so the backup continues after them.', { retry: { afterMs: 0 } }),
  );
  return nextMs;
}
