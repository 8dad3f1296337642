import { AppError } from '../errors.ts';
import type { Database, Transaction } from './client.ts';

/** How the canaries of a keyring are sealed; the vault does it. */
interface CanarySealing {
  /** The id of the key that seals. */
  newest: string;
  /** The fingerprint key of a database that has none yet. */
  fingerprintKey: Uint8Array;
  seal(keyId: string, text: Uint8Array): Uint8Array<ArrayBuffer>;
  unseal(keyId: string, sealed: Uint8Array): Uint8Array;
  at: Date;
}

/**
 * Opens the canary of every key that this database is used with, and leaves one for the newest key. Throws
 * `keyring/invalid` when one does not open: what is sealed with that key would be lost to this process. Each canary
 * holds the key of the fingerprints, which is answered: so it outlives every key, and no fingerprint ever changes.
 */
export async function checkCanaries(database: Database, sealing: CanarySealing): Promise<Uint8Array> {
  return database.$transaction(async (transaction) => {
    // Processes that start at once must agree on one fingerprint key.
    await transaction.$executeRaw`LOCK TABLE canaries IN SHARE ROW EXCLUSIVE MODE`;
    const canaries = await transaction.canary.findMany();
    const opened = canaries.map(({ keyId, sealed }) => ({ keyId, text: open(sealing, keyId, sealed) }));
    const fingerprintKey = opened.find(({ text }) => isKey(text))?.text ?? sealing.fingerprintKey;
    const own = opened.find(({ keyId }) => keyId === sealing.newest);
    if (own === undefined || !isKey(own.text)) await saveCanary(transaction, sealing, fingerprintKey);
    return fingerprintKey;
  });
}

/** The key that was put in front of the keyring last, by whichever process. */
export async function findFrontKey(database: Transaction): Promise<string | undefined> {
  const canary = await database.canary.findFirst({ orderBy: [{ createdAt: 'desc' }, { keyId: 'asc' }] });
  return canary?.keyId;
}

export async function listCanaries(database: Transaction): Promise<{ keyId: string; createdAt: Date }[]> {
  return database.canary.findMany({ select: { keyId: true, createdAt: true }, orderBy: { createdAt: 'desc' } });
}

/** The sealed canaries as they are, for a look that changes nothing. */
export async function readCanaries(database: Database): Promise<{ keyId: string; sealed: Uint8Array }[]> {
  return database.canary.findMany({ select: { keyId: true, sealed: true } });
}

/** Says that this key is the one in front, whatever was put there before. */
export async function putInFront(database: Transaction, { keyId, at }: { keyId: string; at: Date }): Promise<void> {
  await database.canary.updateMany({ where: { keyId }, data: { createdAt: at } });
}

/** Forgets the canary of a key, which may then be missing from the keyring; false if there was none. */
export async function removeCanary(
  database: Database,
  { keyId, at, by }: { keyId: string; at: Date; by: string },
): Promise<boolean> {
  return database.$transaction(async (transaction) => {
    const { count } = await transaction.canary.deleteMany({ where: { keyId } });
    if (count === 0) return false;
    await tellKey(transaction, { keyId, to: 'retired', at, by });
    return true;
  });
}

function open({ unseal }: CanarySealing, keyId: string, sealed: Uint8Array): Uint8Array {
  try {
    return unseal(keyId, sealed);
  } catch (cause) {
    throw new AppError(
      'keyring/invalid',
      `The keyring is not the one this database was sealed with: key ${keyId} is missing or another one. Put the right KEYRING back.`,
      { cause, detail: { keyId } },
    );
  }
}

/** Canaries of the first version held a known word instead. */
function isKey(text: Uint8Array): boolean {
  return text.length === 32;
}

async function saveCanary(transaction: Transaction, { newest: keyId, seal, at }: CanarySealing, text: Uint8Array) {
  const sealed = seal(keyId, text);
  await transaction.canary.upsert({
    where: { keyId },
    create: { keyId, sealed, createdAt: at },
    update: { sealed },
  });
  await tellKey(transaction, { keyId, to: 'sealing', at, by: 'service' });
}

async function tellKey(
  transaction: Transaction,
  { keyId, ...told }: { keyId: string; to: string; at: Date; by: string },
): Promise<void> {
  await transaction.event.create({ data: { subjectKind: 'service', subjectId: `key ${keyId}`, ...told } });
}
