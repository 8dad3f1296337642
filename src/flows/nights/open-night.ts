import { openDueNights } from '../../database/plans.ts';
import type { Resources } from '../../resources.ts';

const batch = 500;

/**
 * The planner's tick: PostgreSQL decides what is due and the queue hears of it. Harmless if it comes twice or in two
 * processes; a queue that does not answer loses nothing, since `heal` puts in again what the table says.
 */
export async function openNight(
  resources: Pick<Resources, 'clock' | 'database' | 'holder' | 'log' | 'queues'>,
): Promise<{ opened: number }> {
  const { clock, database, holder, log, queues } = resources;
  let opened = 0;
  for (;;) {
    const runIds = await openDueNights(database, { at: clock.now(), by: `worker:${holder}`, limit: batch });
    opened += runIds.length;
    await queues.backUps.enqueue(runIds.map((runId) => ({ runId, attempt: 0 })));
    if (runIds.length < batch) break;
  }
  if (opened > 0) log.info('night.opened', { runs: opened });
  return { opened };
}
