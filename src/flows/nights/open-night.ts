import { openDueNights } from '../../database/nights/due-nights.ts';
import { resumeDuePlans } from '../../database/nights/plans.ts';
import type { Resources } from '../../resources.ts';

const batch = 500;

/**
 * Opens the nights that are due and queues their runs, after resuming plans whose pause is over. It may run twice, or in two processes. Nothing is
 * lost if the queue does not answer: `heal` queues again every run that is queued according to the table.
 */
export async function openNight(
  resources: Pick<Resources, 'clock' | 'database' | 'holder' | 'log' | 'queues'> & {
    config: Pick<Resources['config'], 'turnMs' | 'windowGraceMs'>;
  },
): Promise<{ opened: number }> {
  const { clock, config, database, holder, log, queues } = resources;
  const by = `worker:${holder}`;
  await resumeDuePlans(database, { at: clock.now(), by });
  let opened = 0;
  for (;;) {
    const due = { at: clock.now(), by, limit: batch, graceMs: config.windowGraceMs, turnMs: config.turnMs };
    const { runIds, plans } = await openDueNights(database, due);
    opened += runIds.length;
    await queues.backUps.enqueue(runIds.map((runId) => ({ runId, attempt: 0 })));
    if (plans < batch) break;
  }
  if (opened > 0) log.info('night.opened', { runs: opened });
  return { opened };
}
