import { findNightSwitch, inSwitchesTurn, type NightSwitch, saveAudit } from '../../database/audit.ts';
import { inTransaction } from '../../database/client.ts';
import { listOwnersOfRuns } from '../../database/nights/command-views.ts';
import { skipWaitingNights } from '../../database/nights/run-cancellations.ts';
import type { QueueCounts, QueuedJob } from '../../queues/jobs.ts';
import type { Resources } from '../../resources.ts';
import { healRuns } from './heal-runs.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'log' | 'queues'>;

/** The operator who does it, and why in their words. */
interface Asked {
  by: string;
  words?: string | undefined;
}

/**
 * Lets workers take no run more, on every machine, until the night is resumed; those under way go on. False where the night is paused already:
 * who did that and why stays on record.
 */
export async function pauseNight(resources: Needs, { by, words }: Asked): Promise<boolean> {
  const { clock, database, queues } = resources;
  return inSwitchesTurn(database, async () => {
    if ((await findQueuePause(resources)).by !== null) return false;
    await queues.backUps.pause();
    await saveAudit(database, { at: clock.now(), by, act: 'night-paused', reason: words });
    return true;
  });
}

/** Lets workers take runs again, whoever had paused the queue; false where nobody had. */
export async function resumeNight({ clock, database, queues }: Needs, { by, words }: Asked): Promise<boolean> {
  return inSwitchesTurn(database, async () => {
    if (!(await queues.backUps.isPaused())) return false;
    await queues.backUps.resume();
    await saveAudit(database, { at: clock.now(), by, act: 'night-resumed', reason: words });
    return true;
  });
}

/**
 * Puts on record that something other than Nightkeep paused or resumed the queue, or lost that it was paused: pages and notices go by the record, and
 * would otherwise say that no worker is there, or that a night is paused which goes on. False where the record was right.
 */
export async function noteOutsideSwitch(resources: Needs): Promise<boolean> {
  const { clock, database } = resources;
  if ((await outsideSwitch(resources)) === undefined) return false;
  return inSwitchesTurn(database, async () => {
    const act = await outsideSwitch(resources);
    if (act !== undefined) await saveAudit(database, { at: clock.now(), by: outside, act });
    return act !== undefined;
  });
}

const outside = 'outside';

/** What was done to the queue that is not on record. */
async function outsideSwitch({ database, queues }: Needs): Promise<NightSwitch['act'] | undefined> {
  const isOnRecord = (await findNightSwitch(database))?.act === 'night-paused';
  const isPaused = await queues.backUps.isPaused();
  if (isPaused === isOnRecord) return undefined;
  return isPaused ? 'night-paused' : 'night-resumed';
}

/**
 * Ends the night early: runs under way continue, waiting ones are skipped and come again next night. Requested backups keep their place. Answers
 * how many were skipped; where there are none, nothing goes into the audit.
 */
export async function drainNight(resources: Needs & Pick<Resources, 'holder'>, { by, words }: Asked): Promise<number> {
  const { clock, database, queues } = resources;
  const at = clock.now();
  const skipped = await inTransaction(database, async (transaction) => {
    const count = await skipWaitingNights(transaction, { at, by });
    if (count > 0)
      await saveAudit(transaction, { at, by, act: 'night-drained', about: `${count} skipped`, reason: words });
    return count;
  });
  await queues.backUps.drain();
  // Those that somebody asked for are put in again.
  await healRuns(resources);
  return skipped;
}

/** Whether the queue is paused, and by whom. */
export interface QueuePause {
  paused: boolean;
  /** Who paused it here; null where it is not paused, or somebody else did, with another program. */
  by: NightSwitch | null;
}

/** Looks whether the queue is paused, and whether that was done here. Throws `queue/unavailable`. */
export async function findQueuePause({
  database,
  queues,
}: Pick<Resources, 'database' | 'queues'>): Promise<QueuePause> {
  const paused = await queues.backUps.isPaused();
  const last = paused ? await findNightSwitch(database) : null;
  return { paused, by: last?.act === 'night-paused' && last.by.kind !== outside ? last : null };
}

/** A job, and whose run it is about; nobody's where that was erased. */
export interface OwnedJob extends QueuedJob {
  night: string | null;
  /** Tries of the run that failed, and the one under way. */
  tries: number | null;
  user: { id: string; name: string } | null;
}

/** The queue as it is; nothing of anybody's files. */
export interface QueueView extends QueuePause {
  kind: 'postgres' | 'redis';
  counts: QueueCounts;
  jobs: OwnedJob[];
}

/** Throws `queue/unavailable`. */
export async function viewQueue(
  resources: Pick<Resources, 'database' | 'queues'>,
  { limit }: { limit: number },
): Promise<QueueView> {
  const { backUps, connection } = resources.queues;
  const [pause, counts, jobs] = await Promise.all([findQueuePause(resources), backUps.counts(), backUps.list(limit)]);
  const owners = await listOwnersOfRuns(
    resources.database,
    jobs.map(({ runId }) => runId),
  );
  const owned = jobs.map((job) => {
    const { night = null, tries = null, user } = owners.get(job.runId) ?? {};
    return { ...job, night, tries, user: user ? { id: user.id, name: user.username ?? user.subject } : null };
  });
  return { ...pause, kind: connection.kind, counts, jobs: owned };
}
