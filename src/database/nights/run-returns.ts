import { manyLostWorkers, nextAfterLostWorker } from '../../domain/run-tries.ts';
import { turnAfterWork } from '../../domain/turns.ts';
import { escapedName } from '../../file-name.ts';
import { type Database, inTransaction } from '../client.ts';
import { saveEvent, saveEvents } from '../events.ts';
import type { ClaimedRun } from './run-leases.ts';
import { measureStint, type Stint } from './stints.ts';

/**
 * Puts a run back to be claimed from `dueAt` on, and says why; `spent` says whether the try counts, and `yields` whether others that wait go
 * first for the time that it had a worker.
 */
export async function returnRun(
  database: Database,
  input: {
    run: ClaimedRun;
    dueAt: Date;
    spent: boolean;
    yields: boolean;
    errorCode?: string;
    message?: string;
    heldUpMs?: number;
    holder: string;
    at: Date;
  },
): Promise<boolean> {
  const { run, dueAt, spent, yields, errorCode = null, message = null, heldUpMs = 0, holder, at } = input;
  const attempt = spent ? run.attempt : run.attempt - 1;
  const words = message && escapedName(message);
  const stint = await measureStint(database, { id: run.id, heldUpMs, at });
  const worked = { workedMs: { increment: stint.stintMs }, heldUpMs: { increment: stint.heldUpMs } };
  const back = { state: 'queued' as const, dueAt, attempt, errorCode, message: words, lostWorkers: 0, ...worked };
  const turn = yields ? { turnAt: turnBehind(stint, dueAt) } : {};
  return inTransaction(database, async (transaction) => {
    const { count } = await transaction.run.updateMany({
      where: { id: run.id, fence: run.fence, state: 'running' },
      data: { ...back, ...turn, leaseHolder: null, leaseUntil: null },
    });
    if (count === 0) return false;
    await transaction.runProgress.deleteMany({ where: { runId: run.id } });
    await saveEvent(transaction, 'run', run.id, { from: 'running', to: 'queued', at, by: `worker:${holder}` });
    return true;
  });
}

/** The turn of a run that lets others go first: behind those that have had far less, and the later the longer it was worked on. */
function turnBehind({ trigger, stintMs, others, turnOfLess }: Stint, dueAt: Date): Date {
  const turnAt = turnAfterWork({ trigger, dueAt, workedMs: stintMs, others });
  return turnOfLess !== null && turnOfLess > turnAt ? turnOfLess : turnAt;
}

interface Lapsed {
  id: string;
  lostWorkers: number;
  triedUntil: Date;
}

/**
 * Returns runs whose worker ended in the middle to the queue, so that its try does not count, and answers how many. Those fail whose
 * time is over.
 */
export async function returnLapsedRuns(
  database: Database,
  { at, by }: { at: Date; by: string },
): Promise<{ returned: number; failed: number }> {
  return inTransaction(database, async (transaction) => {
    const rows = await transaction.$queryRaw<Lapsed[]>`
      SELECT id, lost_workers + 1 AS "lostWorkers", tried_until AS "triedUntil" FROM runs
      WHERE state = 'running' AND lease_until < ${at} FOR UPDATE SKIP LOCKED`;
    const moves = rows.map((row) => ({ id: row.id, ...afterLostWorker(row, at) }));
    for (const { id, data } of moves) await transaction.run.update({ where: { id }, data });
    await transaction.runProgress.deleteMany({ where: { runId: { in: idsOf(moves) } } });
    const { queued = [], failed = [] } = Object.groupBy(moves, ({ data }) => data.state);
    const change = { from: 'running', at, by, reason: 'lease lapsed' };
    await saveEvents(transaction, 'run', idsOf(queued), { ...change, to: 'queued' });
    await saveEvents(transaction, 'run', idsOf(failed), { ...change, to: 'failed' });
    return { returned: queued.length, failed: failed.length };
  });
}

function afterLostWorker({ id, lostWorkers, triedUntil }: Lapsed, at: Date) {
  const dueAt = nextAfterLostWorker({ id, lost: lostWorkers, at, until: triedUntil });
  const message = lostWorkerWords(lostWorkers, { isOver: dueAt === undefined });
  const ended = { leaseHolder: null, leaseUntil: null, lostWorkers, errorCode: 'run/lost-worker', message };
  return dueAt === undefined
    ? { data: { ...ended, state: 'failed' as const, finishedAt: at } }
    : { data: { ...ended, state: 'queued' as const, dueAt, attempt: { decrement: 1 } } };
}

function lostWorkerWords(lost: number, { isOver }: { isOver: boolean }): string {
  const isMany = lost >= manyLostWorkers;
  const what = isMany
    ? `The workers that made this backup stopped before it was complete, ${lost} times in a row`
    : 'The worker that made this backup stopped before it was complete';
  const cure = isMany ? ' The operator must find out why: the log says what they did last.' : '';
  return `${what}${isOver ? ', and its time was over' : ''}.${cure}`;
}

function idsOf(rows: readonly { id: string }[]): string[] {
  return rows.map(({ id }) => id);
}
