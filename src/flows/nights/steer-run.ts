import { asOutage } from '../../database/client.ts';
import {
  type ClaimedRun,
  claimRun,
  finishRun,
  type RunEnd,
  releaseRun,
  renewRun,
  returnRun,
  runLeaseMs,
} from '../../database/runs.ts';
import { AppError, isAppError, messageForPeople } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'holder' | 'log' | 'queues' | 'runWatch'>;

/** What the work of a run came to. */
export interface Outcome extends RunEnd {
  state: 'succeeded' | 'partial';
  snapshotId: string;
}

export type Work = (input: {
  runId: string;
  signal: AbortSignal;
  report: (counts: Record<string, number>) => void;
}) => Promise<Outcome>;

const renewEveryMs = 20_000;
const backOffMs = 60_000;

/**
 * Claims the run, keeps its lease while the work goes on, and ends it as the work ended. The work's signal is aborted within
 * a second when the run was cancelled or is another's (`run/lost-lease`), or when the caller stops (`run/stopped`);
 * a stopped run returns to the queue without using an attempt up, one that failed for a passing reason returns later
 * while attempts are left.
 */
export async function steerRun(
  needs: Needs,
  { runId, signal }: { runId: string; signal: AbortSignal },
  work: Work,
): Promise<void> {
  const { clock, database, holder } = needs;
  const run = await claimRun(database, { runId, holder, at: clock.now() });
  if (run === null) return;
  const log = needs.log.with({ runId, userId: run.userId });
  const resources = { ...needs, log };
  const lost = new AbortController();
  let counts: Record<string, number> | undefined;
  using _renewing = keepLease(resources, run, lost, () => counts);
  using _watching = resources.runWatch.add(run, lost);
  const either = AbortSignal.any([signal, lost.signal]);
  try {
    const report = (now: Record<string, number>) => {
      counts = now;
    };
    const outcome = await work({ runId, signal: either, report });
    if (!(await finishRun(database, { run, end: outcome, holder, at: clock.now() })))
      return await letGo(resources, run);
    log.info('run.finished', { state: outcome.state, problems: outcome.problemCount });
    if (outcome.alarm !== undefined) log.warn('run.great-change', { alarm: outcome.alarm, counts: outcome.counts });
  } catch (error) {
    await endBadly(resources, run, either.aborted ? either.reason : asOutage(error));
  }
}

/** Renews the lease now and then; aborts `lost` when it is another's, or ran out while the database was away. */
function keepLease(
  { clock, database, log }: Needs,
  run: ClaimedRun,
  lost: AbortController,
  counts: () => Record<string, number> | undefined,
): Disposable {
  let renewed = clock.elapsed();
  return clock.every(renewEveryMs, async () => {
    const asked = clock.elapsed();
    try {
      if (await renewRun(database, { run, at: clock.now(), counts: counts() })) renewed = asked;
      else lost.abort(new AppError('run/lost-lease', 'The run was cancelled, or given to another worker.'));
    } catch (error) {
      log.warn('run.renewal-failed', { error });
      if (clock.elapsed() - renewed >= runLeaseMs)
        lost.abort(new AppError('run/lost-lease', 'The lease of the run could not be renewed in time.'));
    }
  });
}

async function endBadly(resources: Needs, run: ClaimedRun, error: unknown): Promise<void> {
  const { clock, database, holder, log, queues } = resources;
  if (isAppError(error, 'run/stopped')) log.info('run.stopped');
  else log.warn('run.ended-badly', { attempt: run.attempt, error });
  if (isAppError(error, 'run/lost-lease')) return letGo(resources, run);
  const at = clock.now();
  const again = whenAgain(error, run);
  const about = { errorCode: isAppError(error) ? error.code : 'internal', message: messageForPeople(error) };
  if (again === undefined) {
    const failed = await finishRun(database, { run, end: { state: 'failed', ...about }, holder, at });
    return failed ? undefined : letGo(resources, run);
  }
  const dueAt = new Date(at.getTime() + again.afterMs);
  if (!(await returnRun(database, { run, dueAt, spent: again.spent, ...about, holder, at })))
    return letGo(resources, run);
  // Not the attempt but the fence makes the job a new one: the queue still holds the job that is ending here.
  await queues.backUps.enqueue([{ runId: run.id, attempt: run.fence, delayMs: again.afterMs }]);
}

/** Whoever waits for the work to have ended need not wait for the lease to run out then. */
async function letGo({ database, log }: Needs, run: ClaimedRun): Promise<void> {
  await releaseRun(database, run).catch((error: unknown) => log.warn('run.release-failed', { error }));
}

function whenAgain(
  error: unknown,
  { attempt, maxAttempts }: ClaimedRun,
): { afterMs: number; spent: boolean } | undefined {
  if (isAppError(error, 'run/stopped')) return { afterMs: 0, spent: false };
  // The operator has to mend something first, and no attempt can go better before that.
  if (isAppError(error, 'provider/circuit-open'))
    return { afterMs: Math.max(error.retry?.afterMs ?? 0, backOffMs), spent: false };
  if (!isAppError(error) || error.retry === undefined || attempt >= maxAttempts) return undefined;
  return { afterMs: Math.max(error.retry.afterMs, backOffMs * 2 ** (attempt - 1)), spent: true };
}
