import { listQueuedRuns } from '../../database/nights/queued-runs.ts';
import { returnLapsedRuns } from '../../database/nights/run-returns.ts';
import { nameHosts } from '../../database/nights/turns.ts';
import { bringBackFromAhead } from '../../database/server/clock-ahead.ts';
import type { Resources } from '../../resources.ts';

export interface HealedRuns {
  /** Runs whose lease expired: returned to the queue, or failed where no attempt is left. */
  returned: number;
  failed: number;
  /** Runs that have a job in the queue now. */
  queued: number;
}

const most = 10_000;

/** Brings back what a wrong clock has put far ahead, returns runs whose lease expired, and gives every queued run its job again. */
export async function healRuns(
  resources: Pick<Resources, 'clock' | 'database' | 'holder' | 'log' | 'queues'>,
): Promise<HealedRuns> {
  const { clock, database, holder, log, queues } = resources;
  const at = clock.now();
  const by = `worker:${holder}`;
  const { grants, plans, runs } = await bringBackFromAhead(database, { at, by });
  if (grants + plans + runs > 0) log.warn('clock.was-ahead', { grants, plans, runs });
  const lapsed = await returnLapsedRuns(database, { at, by });
  await nameHosts(database);
  const queued = await listQueuedRuns(database, most);
  const delay = (dueAt: Date) => Math.max(0, dueAt.getTime() - at.getTime());
  await queues.backUps.enqueue(
    queued.map(({ id, fence, dueAt }) => ({ runId: id, attempt: fence, delayMs: delay(dueAt) })),
  );
  return { ...lapsed, queued: queued.length };
}
