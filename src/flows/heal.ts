import { listQueuedRuns, returnLapsedRuns } from '../database/runs.ts';
import type { Resources } from '../resources.ts';

const most = 10_000;

/** Mends what a crash or a lost queue left behind: lapsed runs return, and every queued run has its job again. */
export async function heal({
  clock,
  database,
  holder,
  queues,
}: Pick<Resources, 'clock' | 'database' | 'holder' | 'queues'>): Promise<{
  returned: number;
  failed: number;
  queued: number;
}> {
  const at = clock.now();
  const lapsed = await returnLapsedRuns(database, { at, by: `worker:${holder}` });
  const queued = await listQueuedRuns(database, most);
  const delay = (dueAt: Date) => Math.max(0, dueAt.getTime() - at.getTime());
  await queues.backUps.enqueue(
    queued.map(({ id, fence, dueAt }) => ({ runId: id, attempt: fence, delayMs: delay(dueAt) })),
  );
  return { ...lapsed, queued: queued.length };
}
