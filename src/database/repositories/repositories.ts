import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, inTransactionOnce } from '../client.ts';
import { Prisma, type Repository, type User } from '../generated/client.ts';
import { columnsOf, rowIn } from '../joined.ts';
import { isBeingErased, notBeingErased } from './erasures.ts';

export type PersonRepositoryRow = Repository & { user: User };

/** A person's repository row with its person; null where there is none, or it is being erased. */
export async function findRepository(database: Database, userId: string): Promise<PersonRepositoryRow | null> {
  const [row] = await database.$queryRaw<Record<string, unknown>[]>`
    SELECT ${columnsOf('repositories', Prisma.RepositoryScalarFieldEnum)}, ${columnsOf('users', Prisma.UserScalarFieldEnum)}
    FROM repositories JOIN users ON users.id = user_id WHERE user_id = ${userId}::uuid`;
  if (row === undefined) return null;
  const repository = rowIn<Repository>(row, 'repositories');
  const user = rowIn<User>(row, 'users');
  return repository === null || user === null || isBeingErased(repository) ? null : { ...repository, user };
}

/** The store that a person's repository is in now, null for that of the settings; null where there is none, or it is being erased. */
export async function findStoreOfRepository(
  database: Database,
  userId: string,
): Promise<{ store: string | null } | null> {
  return database.repository.findFirst({ where: { userId, ...notBeingErased }, select: { store: true } });
}

export interface NewRepositoryRow {
  id: string;
  userId: string;
  location: string;
  sealedPassword: Uint8Array<ArrayBuffer>;
  keyId: string;
  at: Date;
}

/** Saves the sealed service password before anything is written with it; the first of two concurrent calls wins. */
export async function saveRepository(database: Database, { at, ...row }: NewRepositoryRow): Promise<void> {
  await database.repository.createMany({ data: [{ ...row, createdAt: at }], skipDuplicates: true });
}

/** Puts on record that the recovery key opens another key file now; false where another key was made, or the repository was moved, meanwhile. */
export async function saveRecoveryKeyFile(
  database: Database,
  { id, store, from, to }: { id: string; store: string | null; from: string; to: string },
): Promise<boolean> {
  const { count } = await database.repository.updateMany({
    where: { id, store, recoveryKeyFile: from },
    data: { recoveryKeyFile: to },
  });
  return count > 0;
}

/**
 * Saves the key file that the recovery key opens, and the key itself, sealed, until it was shown. A key that takes the place of
 * another goes into the audit, with who asked for it. False, and nothing is saved, where the repository is in another store by now.
 */
export async function saveRecoveryKey(
  database: Database,
  input: {
    id: string;
    store: string | null;
    recoveryKeyFile: string;
    sealedRecoveryKey: Uint8Array<ArrayBuffer>;
    reissued?: { by: string; at: Date } | undefined;
  },
): Promise<boolean> {
  const { id, store, recoveryKeyFile, sealedRecoveryKey, reissued } = input;
  return inTransaction(database, async (transaction) => {
    const [changed] = await transaction.repository.updateManyAndReturn({
      where: { id, store },
      data: { recoveryKeyFile, sealedRecoveryKey, recoverySeenAt: null, recoveryKeptAt: null },
      select: { userId: true },
    });
    if (changed === undefined) return false;
    if (reissued) {
      const { userId } = changed;
      await saveAudit(transaction, { ...reissued, act: 'key-reissued', userId });
      // Whether the new key mends what was wrong with the old one shows at once.
      await transaction.verification.updateMany({
        where: { userId, damageState: 'key' },
        data: { nextAt: reissued.at },
      });
    }
    return true;
  });
}

/** Does the work while nobody else, in whichever process, changes the keys of that person's repository. */
export async function inKeysTurn<T>(database: Database, userId: string, work: () => Promise<T>): Promise<T> {
  return inTransactionOnce(database, async (transaction) => {
    await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`repository keys of ${userId}`}, 0))`;
    return work();
  });
}

/** What is shown again so soon was asked for by one press of a button. */
const sameShowingMs = 10_000;

/** Puts on record that the recovery key is being shown to its person; false where it is not kept here any more. */
export async function markRecoveryKeySeen(database: Database, { id, at }: { id: string; at: Date }): Promise<boolean> {
  const since = new Date(at.getTime() - sameShowingMs);
  const before = { OR: [{ recoverySeenAt: null }, { recoverySeenAt: { lte: since } }, { recoverySeenAt: { gt: at } }] };
  if (await changeHeldKey(database, { id, at, where: before, act: 'key-shown', data: { recoverySeenAt: at } }))
    return true;
  return (await database.repository.count({ where: { id, sealedRecoveryKey: { not: null } } })) > 0;
}

/** Deletes the recovery key, which its person has kept; false where it is another by now, or not here any more. */
export async function markRecoveryKeyKept(
  database: Database,
  { id, recoveryKeyFile, at }: { id: string; recoveryKeyFile: string | null; at: Date },
): Promise<boolean> {
  const data = { sealedRecoveryKey: null, recoveryKeptAt: at };
  return changeHeldKey(database, { id, where: { recoveryKeyFile }, at, act: 'key-kept', data });
}

interface HeldKeyChange {
  id: string;
  where: Prisma.RepositoryWhereInput;
  at: Date;
  act: 'key-shown' | 'key-kept';
  data: Prisma.RepositoryUpdateManyMutationInput;
}

/** Changes the row while the recovery key is kept here, with its entry in the audit. */
async function changeHeldKey(database: Database, change: HeldKeyChange): Promise<boolean> {
  const { id, where, at, act, data } = change;
  return inTransaction(database, async (transaction) => {
    const [changed] = await transaction.repository.updateManyAndReturn({
      where: { ...where, id, sealedRecoveryKey: { not: null } },
      data,
      select: { userId: true },
    });
    if (changed === undefined) return false;
    const { userId } = changed;
    await saveAudit(transaction, { at, by: `user:${userId}`, act, userId });
    return true;
  });
}
