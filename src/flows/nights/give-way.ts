import { listRunsToGiveWay } from '../../database/turns.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'holder' | 'queues' | 'runWatch'> & {
  readonly config: Pick<Resources['config'], 'turnMs'>;
};

/**
 * Ends the work on runs of this process that have had a worker for longer than their time, where others wait whose turn has come: what they
 * read is kept, and they go on later. Not while the queue is paused, since nobody would take the others.
 */
export async function giveWay({ clock, config, database, holder, queues, runWatch }: Needs): Promise<void> {
  if (runWatch.isEmpty()) return;
  const runIds = await listRunsToGiveWay(database, { holder, at: clock.now(), turnMs: config.turnMs });
  if (runIds.length === 0 || (await queues.backUps.isPaused())) return;
  runWatch.end(
    runIds,
    new AppError('run/gave-way', 'Others were waiting, so the backup goes on after them.', { retry: { afterMs: 0 } }),
  );
}
