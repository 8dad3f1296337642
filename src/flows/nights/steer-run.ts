import { untilAborted } from '../../abort.ts';
import { asOutage, isOutage } from '../../database/client.ts';
import { finishRun, type RunEnd } from '../../database/nights/run-ends.ts';
import { type ClaimedRun, claimRun, releaseRun, renewRun, runLeaseMs } from '../../database/nights/run-leases.ts';
import { returnRun } from '../../database/nights/run-returns.ts';
import type { RunProgress } from '../../domain/run-progress.ts';
import { mayPass, nextTry, waitsForAll } from '../../domain/run-tries.ts';
import { AppError, isAppError, messageForPeople } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { traced } from '../../tracing.ts';

type Needs = Pick<
  Resources,
  'clock' | 'database' | 'holder' | 'log' | 'meters' | 'queues' | 'runProgress' | 'runWatch'
>;
type NextNeeds = Needs &
  Pick<Resources, 'runClaims'> & { readonly config: Pick<Resources['config'], 'concurrency' | 'heavyRuns' | 'turnMs'> };

/** What the work of a run came to. */
export interface Outcome extends RunEnd {
  state: 'succeeded' | 'partial';
  snapshotId: string;
}

export type Work = (input: {
  runId: string;
  signal: AbortSignal;
  report: (look: () => RunProgress) => void;
  /** Resolves when the run is still this worker's own; rejects with the signal's reason. Before a snapshot is written. */
  confirm: () => Promise<void>;
  /** There is time to try again where a part of the work cannot be done for the moment. */
  waitsForAll: boolean;
}) => Promise<Outcome>;

const renewEveryMs = 20_000;
/**
 * How long to wait while all places of this kind are taken, unless a run of this worker ends before: a second, then twice as long each time, since
 * many places of a worker may be waiting.
 */
const askAgainMs = { first: 1_000, most: 8_000 };
const lookEveryMs = 1_000;
/** How old the word of the database may be for a snapshot that is written now. */
const freshMs = 1_000;
/** How long before its lease runs out a run ends that could not renew it: the clock of the next worker may be ahead. */
const spareMs = 10_000;
/** How a run ended is saved as soon as the database is back, so that nothing is done again for an outage. */
const saveAgainMs = 5_000;
const saveForMs = 10 * 60_000;

/**
 * Claims the run, keeps its lease during the work, and ends it as the work ended. The work's signal is aborted within a second when the run
 * was cancelled or belongs to another worker (`run/lost-lease`), or when the caller stops (`run/stopped`). A stopped run returns to the
 * queue at once; one that failed for a reason that may pass returns later, with the reason, as long as its time lasts. Answers whose run it
 * was where it brought a snapshot.
 */
export async function steerRun(
  needs: Needs,
  { runId, signal }: { runId: string; signal: AbortSignal },
  work: Work,
): Promise<Backed | undefined> {
  const run = await claimRun(needs.database, { runId, holder: needs.holder, at: needs.clock.now() });
  return run === null ? undefined : steer(needs, run, signal, work);
}

/** The same for the run whose turn it is; waits while only runs are left that this worker has enough of. */
export async function steerNextRun(needs: NextNeeds, signal: AbortSignal, work: Work): Promise<Backed | undefined> {
  const { clock, holder, runClaims } = needs;
  const { concurrency, heavyRuns, turnMs } = needs.config;
  for (let pauseMs = askAgainMs.first; ; pauseMs = Math.min(askAgainMs.most, 2 * pauseMs)) {
    const run = await runClaims.next({ holder, at: clock.now(), concurrency, heavyRuns, turnMs });
    if (run === null) return undefined;
    if (run !== 'full') return steer(needs, run, signal, work);
    await waitForPlace(needs, pauseMs, signal);
  }
}

/** Waits until a run of this worker has ended, but no longer than this; rejects with the signal's reason. */
async function waitForPlace({ clock, runWatch }: NextNeeds, ms: number, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  using _waiting = runWatch.onceOneEnds(() => ended.abort());
  await clock.sleep(ms, AbortSignal.any([signal, ended.signal])).catch(() => signal.throwIfAborted());
}

interface Backed {
  userId: string;
}

async function steer(needs: Needs, run: ClaimedRun, signal: AbortSignal, work: Work): Promise<Backed | undefined> {
  const { clock, database, holder } = needs;
  const { id: runId } = run;
  const log = needs.log.with({ runId, userId: run.userId });
  const resources = { ...needs, log };
  const began = clock.elapsed();
  const lost = new AbortController();
  using lease = keepLease(resources, run, lost);
  using watched = resources.runWatch.add(run, lost);
  const either = AbortSignal.any([signal, lost.signal]);
  try {
    using showing = new DisposableStack();
    const report = (look: () => RunProgress) => void showing.use(resources.runProgress.add(run, look));
    const confirm = () => lease.confirm(either);
    const waits = waitsForAll({ attempt: run.attempt, at: clock.now(), until: run.triedUntil });
    const outcome = await tracedRun(run, () => work({ runId, signal: either, report, confirm, waitsForAll: waits }));
    const finish = () =>
      finishRun(database, { run, end: outcome, heldUpMs: watched.heldUpMs, holder, at: clock.now() });
    if (!(await saved(resources, signal, finish))) {
      await letGo(resources, run);
      return undefined;
    }
    count(resources, outcome, clock.elapsed() - began);
    log.info('run.finished', {
      state: outcome.state,
      problems: outcome.problemCount,
      ...(outcome.errorCode !== undefined && { cause: outcome.errorCode }),
      ...(outcome.counts?.entriesUnchecked !== undefined && { unchecked: outcome.counts.entriesUnchecked }),
    });
    if (outcome.alarm !== undefined) log.warn('run.great-change', { alarm: outcome.alarm, counts: outcome.counts });
    return { userId: run.userId };
  } catch (error) {
    const cause = either.aborted ? either.reason : asOutage(error);
    if (isAppError(cause, 'run/stopped')) log.info('run.stopped');
    else if (isAppError(cause, 'run/gave-way')) log.info('run.gave-way');
    else log.warn('run.ended-badly', { attempt: run.attempt, error: cause });
    if (isAppError(cause, 'run/lost-lease')) await letGo(resources, run);
    else if (
      await saved(resources, signal, () => endBadly(resources, run, { error: cause, heldUpMs: watched.heldUpMs }))
    )
      count(resources, { state: 'failed' }, clock.elapsed() - began);
    return undefined;
  }
}

function tracedRun({ id, attempt }: ClaimedRun, work: () => Promise<Outcome>): Promise<Outcome> {
  return traced(
    { name: 'run', attributes: { 'nightkeep.run.id': id, 'nightkeep.run.attempt': attempt } },
    async (note) => {
      const outcome = await work();
      note({
        'nightkeep.run.result': outcome.state,
        'nightkeep.run.problems': outcome.problemCount,
        'nightkeep.snapshot.id': outcome.snapshotId,
      });
      return outcome;
    },
  );
}

interface KeptLease extends Disposable {
  /**
   * Resolves once the database has said that the lease is this run's: now, or at most a second ago. Keeps asking while it does not answer; rejects
   * when the signal is aborted.
   */
  confirm(signal: AbortSignal): Promise<void>;
}

/**
 * Renews the lease regularly; aborts `lost` if it is another's, or could not be renewed until some seconds before it runs out, since the clocks of
 * machines may differ. A request that gets no answer, as on a network that drops everything, is not waited for.
 */
function keepLease({ clock, database, log }: Needs, run: ClaimedRun, lost: AbortController): KeptLease {
  let renewed = clock.elapsed();
  let asked = renewed;
  const renew = async () => {
    const began = clock.elapsed();
    asked = began;
    try {
      if (await renewRun(database, { run, at: clock.now() })) renewed = Math.max(renewed, began);
      else lost.abort(new AppError('run/lost-lease', 'The run was cancelled, or given to another worker.'));
    } catch (error) {
      log.warn('run.renewal-failed', { error });
    }
  };
  const keeping = new DisposableStack();
  keeping.use(clock.every(renewEveryMs, () => void renew()));
  keeping.use(
    clock.every(lookEveryMs, () => {
      if (asked === renewed || clock.elapsed() - renewed < runLeaseMs - spareMs) return;
      lost.abort(new AppError('run/lost-lease', 'The lease of the run could not be renewed in time.'));
    }),
  );
  return {
    confirm: async (signal) => {
      const since = clock.elapsed() - freshMs;
      while (renewed < since) {
        await untilAborted(renew(), signal);
        if (renewed < since) await clock.sleep(lookEveryMs, signal);
      }
    },
    [Symbol.dispose]: () => keeping.dispose(),
  };
}

/** Saves how a run ended; waits for a database that is away, unless the caller stops. */
async function saved<T>({ clock, log }: Needs, signal: AbortSignal, save: () => Promise<T>): Promise<T> {
  const began = clock.elapsed();
  for (;;) {
    try {
      return await save();
    } catch (error) {
      if (!isOutage(error) || signal.aborted || clock.elapsed() - began >= saveForMs) throw error;
      log.warn('run.save-failed', { error });
      await clock.sleep(saveAgainMs, signal);
    }
  }
}

/** Whether the run has finally failed; otherwise it was returned to the queue, or is another worker's. */
async function endBadly(
  resources: Needs,
  run: ClaimedRun,
  { error, heldUpMs }: { error: unknown; heldUpMs: number },
): Promise<boolean> {
  const { clock, database, holder, queues } = resources;
  const at = clock.now();
  const again = whenAgain(error, run, at);
  const about = { errorCode: codeOf(error), message: messageForPeople(error) };
  if (again === undefined) {
    const failed = await finishRun(database, { run, end: { state: 'failed', ...about }, heldUpMs, holder, at });
    if (!failed) await letGo(resources, run);
    return failed;
  }
  const why = isInterrupted(error) ? {} : about;
  const yields = !isAppError(error, 'run/stopped');
  if (!(await returnRun(database, { run, ...again, yields, ...why, heldUpMs, holder, at }))) {
    await letGo(resources, run);
    return false;
  }
  const delayMs = again.dueAt.getTime() - at.getTime();
  // Not the attempt but the fence makes the job a new one: the queue still holds the job that is ending here.
  await queues.backUps.enqueue([{ runId: run.id, attempt: run.fence, delayMs }]);
  return false;
}

function count({ meters }: Needs, { state, counts, problemCount }: CountedEnd, ms: number): void {
  const { bytesRead = 0, dataAdded = 0 } = counts ?? {};
  meters.runEnded({
    result: state,
    seconds: ms / 1000,
    bytesRead,
    bytesAdded: dataAdded,
    warnings: problemCount ?? 0,
  });
}

type CountedEnd = Pick<RunEnd, 'counts' | 'problemCount'> & { state: Exclude<RunEnd['state'], 'cancelled'> };

/** Releases the lease, so that nobody who waits for the work to end has to wait for the lease to run out. */
async function letGo({ database, log }: Needs, run: ClaimedRun): Promise<void> {
  await releaseRun(database, run).catch((error: unknown) => log.warn('run.release-failed', { error }));
}

function whenAgain(
  error: unknown,
  { attempt, triedUntil: until }: ClaimedRun,
  at: Date,
): { dueAt: Date; spent: boolean } | undefined {
  if (isInterrupted(error)) return { dueAt: at, spent: false };
  const pauseMs = isAppError(error) ? error.retry?.afterMs : undefined;
  if (!mayPass({ code: codeOf(error), saysWhen: pauseMs !== undefined })) return undefined;
  // Asking costs the provider nothing then, so that all go on as soon as the circuit is closed.
  const spent = !isAppError(error, 'provider/circuit-open');
  const dueAt = nextTry({ attempt: spent ? attempt : 1, at, until, ...(pauseMs !== undefined && { pauseMs }) });
  return dueAt && { dueAt, spent };
}

/** Whether Nightkeep itself interrupted the run, without anything being wrong with it. */
function isInterrupted(error: unknown): boolean {
  return isAppError(error, 'run/stopped') || isAppError(error, 'run/gave-way');
}

function codeOf(error: unknown): string {
  return isAppError(error) ? error.code : 'internal';
}
