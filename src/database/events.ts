import type { Transaction } from './client.ts';

/** What happened to something: what it was and what it became, as words; why, when and through whom. */
export interface Change {
  from?: string | null;
  to: string;
  reason?: string;
  at: Date;
  by: string;
}

type Subject = 'circuit' | 'grant' | 'plan' | 'provider' | 'run' | 'service' | 'session' | 'user';
type Events = Pick<Transaction, 'event'>;

/** Records a change, in the transaction that makes it. */
export async function saveEvent(transaction: Events, kind: Subject, id: string, change: Change): Promise<void> {
  await saveEvents(transaction, kind, [id], change);
}

/** Records the same change of many, in one statement. */
export async function saveEvents(
  transaction: Events,
  subjectKind: Subject,
  ids: readonly string[],
  change: Change,
): Promise<void> {
  await transaction.event.createMany({ data: ids.map((subjectId) => ({ subjectKind, subjectId, ...change })) });
}
