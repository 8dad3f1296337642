import { listRunsToGiveWay } from '../../database/turns.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'holder' | 'queues' | 'runWatch'> & {
  readonly config: Pick<Resources['config'], 'concurrency' | 'heavyRuns' | 'turnMs'>;
};

/**
 * Ends the work on runs of this process that have had a worker for longer than their time, where others wait who would have the place then: what they
 * read is kept, and they go on later. For how long the machine had no processor for this process is nobody's time. Not while the queue is paused, since nobody would take the others.
 */
export async function giveWay({ clock, config, database, holder, queues, runWatch }: Needs): Promise<void> {
  if (runWatch.isEmpty()) return;
  const { concurrency, heavyRuns, turnMs } = config;
  const about = { holder, at: clock.now(), concurrency, heavyRuns, turnMs, heldUp: runWatch.heldUp() };
  const runIds = await listRunsToGiveWay(database, about);
  if (runIds.length === 0 || (await queues.backUps.isPaused())) return;
  runWatch.end(
    runIds,
    new AppError('run/gave-way', 'Others were waiting, so the backup goes on after them.', { retry: { afterMs: 0 } }),
  );
}
