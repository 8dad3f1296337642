import { saveAudit } from '../audit.ts';
import { type Database, inTransaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import { type Delivery, saveDeliveries } from '../notices/notices.ts';
import { lockUser } from '../people/users.ts';
import { notBeingErased } from './erasures.ts';

const lost = 'snapshots lost';

/** Whether files of a repository must be where it is: a first run has made it, and erasing it has not begun. */
export async function mustHaveFiles(database: Database, id: string): Promise<boolean> {
  return (await database.repository.count({ where: { id, recoveryKeyFile: { not: null }, ...notBeingErased } })) > 0;
}

export interface LostRepository {
  readonly id: string;
  readonly userId: string;
  readonly location: string;
  readonly at: Date;
  readonly by: string;
  /** What its person is told. */
  readonly telling: readonly Delivery[];
}

/**
 * Gives up a repository of which nothing is left, on the word of an operator, so that the next backup makes a new one; its person is told in the
 * same transaction. False where it is not there any more.
 */
export async function saveLost(
  database: Database,
  { id, userId, location, at, by, telling }: LostRepository,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const { count } = await transaction.repository.deleteMany({ where: { id } });
    if (count === 0) return false;
    await transaction.verification.deleteMany({ where: { userId } });
    await transaction.run.updateMany({ where: { plan: { userId } }, data: { snapshotId: null } });
    // What waits to be tried again finds a new one: nobody should read meanwhile what was wrong with this one.
    await transaction.run.updateMany({
      where: {
        plan: { userId },
        state: 'queued',
        OR: [{ errorCode: { startsWith: 'repository/' } }, { errorCode: { startsWith: 'store/' } }],
      },
      data: { errorCode: null, message: null },
    });
    await saveEvent(transaction, 'user', userId, { to: lost, at, by });
    await saveAudit(transaction, { at, by, act: 'repository-lost', userId, about: location });
    await saveDeliveries(transaction, telling, at);
    return true;
  });
}

/** When a person's snapshots were given up as lost; null where none ever were, or they have kept the recovery key of a new repository. */
export async function findLoss(database: Database, userId: string): Promise<Date | null> {
  const event = await database.event.findFirst({
    where: { subjectKind: 'user', subjectId: userId, to: lost },
    orderBy: { id: 'desc' },
    select: { at: true },
  });
  if (event === null) return null;
  const kept = await database.repository.count({ where: { userId, recoveryKeptAt: { gt: event.at } } });
  return kept > 0 ? null : event.at;
}
