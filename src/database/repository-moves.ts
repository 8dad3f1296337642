import { saveAudit } from './audit.ts';
import { type Database, inTransaction } from './client.ts';
import { notBeingErased } from './erasures.ts';

/** Where a person's repository is, was, and is on its way to, by the addresses of stores. */
export interface RepositoryPlace {
  readonly id: string;
  readonly userId: string;
  readonly username: string | null;
  readonly subject: string;
  readonly location: string;
  /** Null: the store of the settings. */
  readonly store: string | null;
  readonly movingTo: string | null;
  readonly formerStore: string | null;
}

/** Where every repository is, those of people who have withdrawn among them; of one person where one is named. */
export async function listRepositoryPlaces(database: Database, userId?: string): Promise<RepositoryPlace[]> {
  const rows = await database.repository.findMany({
    where: { ...notBeingErased, ...(userId !== undefined && { userId }) },
    include: { user: true },
    orderBy: { user: { username: 'asc' } },
  });
  return rows.map(({ id, userId: owner, user: { username, subject }, location, store, movingTo, formerStore }) => ({
    id,
    userId: owner,
    username,
    subject,
    location,
    store,
    movingTo,
    formerStore,
  }));
}

/** Puts on record that files are being copied to that store, before the first one is; null: no longer. The card is due then. */
export async function saveMovingTo(database: Database, id: string, movingTo: string | null): Promise<void> {
  await database.repository.updateMany({ where: { id }, data: { movingTo, cardDigest: null } });
}

export interface Switch {
  readonly id: string;
  /** The store as the row had it when copying began, and the recovery key of that moment. */
  readonly from: string | null;
  readonly recoveryKeyFile: string | null;
  readonly to: string;
  readonly formerStore: string;
  /** The password, sealed for the new place. */
  readonly sealedPassword: Uint8Array<ArrayBuffer>;
  readonly keyId: string;
  readonly at: Date;
  readonly by: string;
}

/**
 * From now on the repository is in the other store, and the files in the former one are a copy. False, and nothing changes, where the
 * row is another by now: what was copied lacks something then.
 */
export async function switchStore(database: Database, input: Switch): Promise<boolean> {
  const { id, from, recoveryKeyFile, to, formerStore, sealedPassword, keyId, at, by } = input;
  return inTransaction(database, async (transaction) => {
    const [moved] = await transaction.repository.updateManyAndReturn({
      where: { id, store: from, movingTo: to, recoveryKeyFile, ...notBeingErased },
      data: { store: to, movingTo: null, formerStore, sealedPassword, keyId },
      select: { userId: true },
    });
    if (moved === undefined) return false;
    await saveAudit(transaction, { at, by, act: 'repository-moved', userId: moved.userId, about: to });
    return true;
  });
}

/** Puts on record that nothing is left in the former store. */
export async function saveFormerDeleted(
  database: Database,
  { id, formerStore, at, by }: { id: string; formerStore: string; at: Date; by: string },
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    const [cleared] = await transaction.repository.updateManyAndReturn({
      where: { id, formerStore },
      data: { formerStore: null },
      select: { userId: true },
    });
    if (cleared !== undefined)
      await saveAudit(transaction, { at, by, act: 'old-copy-deleted', userId: cleared.userId, about: formerStore });
  });
}
