import { requestedUntil } from '../../domain/run-tries.ts';
import { turnOf } from '../../domain/turns.ts';
import type { Database, Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';

interface Pulled {
  id: string;
  fence: number;
  /** Whether a worker has yet to take it. */
  waits: boolean;
  /** Whether its turn comes sooner now. */
  isMoved: boolean;
}

/**
 * The plan's run that is under way, or null. One that waits becomes due at once, as if it had not been tried: it loses its error, and gets
 * as much time as a run that is requested now. The plan is locked.
 */
export async function pullForward(
  transaction: Transaction,
  { planId, trigger, at, by }: { planId: string; trigger?: string; at: Date; by: string },
): Promise<Pulled | null> {
  const underWay = await transaction.run.findFirst({
    where: { planId, state: { in: ['queued', 'running'] } },
    // One that is being worked on before those that wait.
    orderBy: [{ state: 'desc' }, { dueAt: 'asc' }],
    select: { id: true, fence: true, state: true, trigger: true, dueAt: true, triedUntil: true },
  });
  if (underWay === null) return null;
  const { id, fence, state, dueAt } = underWay;
  if (state === 'running') return { id, fence, waits: false, isMoved: false };
  const turnAt = turnOf({ trigger: trigger === 'operator' ? trigger : underWay.trigger, dueAt: at });
  if (dueAt <= at) {
    if (trigger !== 'operator') return { id, fence, waits: true, isMoved: false };
    const later = { id, fence, state, turnAt: { gt: turnAt } };
    const { count } = await transaction.run.updateMany({ where: later, data: { turnAt } });
    return { id, fence, waits: true, isMoved: count === 1 };
  }
  const triedUntil = new Date(Math.max(underWay.triedUntil.getTime(), requestedUntil(at).getTime()));
  const { count } = await transaction.run.updateMany({
    where: { id, fence, state },
    data: { dueAt: at, turnAt, triedUntil, attempt: 0, errorCode: null, message: null },
  });
  if (count === 1) await saveEvent(transaction, 'run', id, { to: 'pulled forward', at, by });
  return { id, fence, waits: count === 1, isMoved: count === 1 };
}

/** The runs that wait for a worker, the longest due first. */
export async function listQueuedRuns(
  database: Database,
  limit: number,
): Promise<{ id: string; fence: number; dueAt: Date }[]> {
  return database.run.findMany({
    where: { state: 'queued' },
    select: { id: true, fence: true, dueAt: true },
    orderBy: { dueAt: 'asc' },
    take: limit,
  });
}
