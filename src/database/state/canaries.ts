import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';

export interface Canary {
  keyId: string;
  sealed: Uint8Array;
}

/** The canary of every key that this database is used with; nobody else leaves one until the transaction ends. */
export async function lockCanaries(transaction: Transaction): Promise<Canary[]> {
  await transaction.$executeRaw`LOCK TABLE canaries IN SHARE ROW EXCLUSIVE MODE`;
  return transaction.canary.findMany();
}

/** Leaves the canary of the key in front of the keyring. */
export async function saveCanary(
  transaction: Transaction,
  { keyId, sealed, at }: { keyId: string; sealed: Uint8Array<ArrayBuffer>; at: Date },
): Promise<void> {
  await transaction.canary.upsert({
    where: { keyId },
    create: { keyId, sealed, createdAt: at },
    update: { sealed },
  });
  await saveEvent(transaction, 'service', `key ${keyId}`, { to: 'sealing', at, by: 'service' });
}

/** The key that was put in front of the keyring last, by whichever process. */
export async function findFrontKey(database: Transaction): Promise<string | undefined> {
  const canary = await database.canary.findFirst({ orderBy: [{ createdAt: 'desc' }, { keyId: 'asc' }] });
  return canary?.keyId;
}

/** The keys of the keyring that the database was used with, newest first. */
export async function listCanaries(database: Transaction): Promise<{ keyId: string; createdAt: Date }[]> {
  return database.canary.findMany({ select: { keyId: true, createdAt: true }, orderBy: { createdAt: 'desc' } });
}

/** The sealed canaries as they are, for a look that changes nothing. */
export async function readCanaries(database: Database): Promise<Canary[]> {
  return database.canary.findMany({ select: { keyId: true, sealed: true } });
}

/** Says that this key is the one in front, whatever was put there before. */
export async function saveFrontKey(database: Transaction, { keyId, at }: { keyId: string; at: Date }): Promise<void> {
  await database.canary.updateMany({ where: { keyId }, data: { createdAt: at } });
}

/** Forgets the canary of a key, which may then be missing from the keyring; false if there was none. */
export async function removeCanary(
  database: Database,
  { keyId, at, by }: { keyId: string; at: Date; by: string },
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const { count } = await transaction.canary.deleteMany({ where: { keyId } });
    if (count === 0) return false;
    await saveEvent(transaction, 'service', `key ${keyId}`, { to: 'retired', at, by });
    await saveAudit(transaction, { at, by, act: 'key-retired', about: keyId });
    return true;
  });
}
