import { saveAudit } from './audit.ts';
import { type Database, inTransaction } from './client.ts';
import { notBeingErased } from './erasures.ts';
import type { Repository, User } from './generated/client.ts';

export type PersonRepositoryRow = Repository & { user: User };

/** A person's repository row with its person; null where there is none, or it is being erased. */
export async function findRepository(database: Database, userId: string): Promise<PersonRepositoryRow | null> {
  return database.repository.findFirst({ where: { userId, ...notBeingErased }, include: { user: true } });
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

/**
 * Saves the key file that the recovery key opens, and the key itself, sealed, until it was shown. A key that takes the place of
 * another goes into the audit, with who asked for it.
 */
export async function saveRecoveryKey(
  database: Database,
  input: {
    id: string;
    recoveryKeyFile: string;
    sealedRecoveryKey: Uint8Array<ArrayBuffer>;
    reissued?: { by: string; at: Date } | undefined;
  },
): Promise<void> {
  const { id, recoveryKeyFile, sealedRecoveryKey, reissued } = input;
  await inTransaction(database, async (transaction) => {
    const { userId } = await transaction.repository.update({
      where: { id },
      data: { recoveryKeyFile, sealedRecoveryKey, recoverySeenAt: null },
      select: { userId: true },
    });
    if (reissued) await saveAudit(transaction, { ...reissued, act: 'key-reissued', userId });
  });
}

/** Deletes the recovery key, which is being shown to its person; true for the one caller who may show it. */
export async function markRecoveryKeySeen(database: Database, { id, at }: { id: string; at: Date }): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const [seen] = await transaction.repository.updateManyAndReturn({
      where: { id, sealedRecoveryKey: { not: null } },
      data: { sealedRecoveryKey: null, recoverySeenAt: at },
      select: { userId: true },
    });
    if (seen === undefined) return false;
    const { userId } = seen;
    await saveAudit(transaction, { at, by: `user:${userId}`, act: 'key-shown', userId });
    return true;
  });
}
