import { countWords } from '../../count-words.ts';
import { type ErasureFacts, type RowSeal, type RowSealing, type Sealed, vouchesFor } from '../../domain/row-facts.ts';
import { minuteMs } from '../../durations.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import { lockUser } from '../people/users.ts';
import { beingWritten } from './restores.ts';

/** The moment in `erase_at` of a repository that is being erased: there is no way back from it. */
const begun = new Date(0);

/** Leaves out repositories that are being erased: nothing else may use them. */
export const notBeingErased = { OR: [{ eraseAt: null }, { eraseAt: { gt: begun } }] };

/** Whether the erasing has begun, from which on nothing may use the repository. */
export function isBeingErased({ eraseAt }: { readonly eraseAt: Date | null }): boolean {
  return eraseAt !== null && eraseAt <= begun;
}

/** When a person's snapshots are erased, and who chose so. */
export interface PlannedErasure {
  userId: string;
  eraseAt: Date;
  sealing: RowSealing<ErasureFacts>;
  at: Date;
  by: string;
}

/** What vouches for when the snapshots of a person are erased; null where they have no repository. */
export async function findErasureFacts(database: Transaction, userId: string): Promise<Sealed<ErasureFacts> | null> {
  const select = { id: true, userId: true, eraseAt: true, eraseSeal: true } as const;
  const row = await database.repository.findUnique({ where: { userId }, select });
  return row && { ...row, seal: row.eraseSeal };
}

/** Saves when they are, with its seal; false where erasing has begun. */
async function saveSealed(
  transaction: Transaction,
  before: Sealed<ErasureFacts>,
  { eraseAt, sealing }: { eraseAt: Date | null; sealing: RowSealing<ErasureFacts> },
): Promise<boolean> {
  const { id, userId } = before;
  const eraseSeal = sealing.reseal(before, { id, userId, eraseAt });
  const { count } = await transaction.repository.updateMany({
    where: { id, ...notBeingErased },
    data: { eraseAt, eraseSeal },
  });
  return count === 1;
}

/** The same choice made twice differs by so little. */
const sameChoiceMs = minuteMs;

/**
 * Saves when a person's snapshots are erased; a time in the past means now. False for a person with a living grant. Changes
 * nothing once erasing has begun, nor where that was chosen just now.
 */
export async function saveEraseAt(
  transaction: Transaction,
  { userId, eraseAt, sealing, at, by }: PlannedErasure,
): Promise<boolean> {
  const living = await transaction.grant.count({ where: { userId, state: { not: 'withdrawn' } } });
  if (living > 0) return false;
  const before = await findErasureFacts(transaction, userId);
  if (before === null || isChosen(before, eraseAt, sealing)) return true;
  const reason = eraseAt <= at ? 'now' : `on ${eraseAt.toISOString()}`;
  if (await saveSealed(transaction, before, { eraseAt, sealing })) {
    await saveEvent(transaction, 'user', userId, { to: 'snapshots to be erased', reason, at, by });
    await saveAudit(transaction, { at, by, act: 'erasure-chosen', userId, about: reason });
  }
  return true;
}

/** Whether this was chosen just now. What somebody else wrote there was not. */
function isChosen(before: Sealed<ErasureFacts>, eraseAt: Date, sealing: RowSealing<ErasureFacts>): boolean {
  const chosen = before.eraseAt === null ? Number.NaN : new Date(before.eraseAt).getTime();
  return Math.abs(chosen - eraseAt.getTime()) < sameChoiceMs && vouchesFor(sealing, before);
}

/** The same for a person who chooses again after a withdrawal. Whoever asked to be erased altogether puts nothing off any more. */
export async function changeEraseAt(database: Database, planned: PlannedErasure): Promise<boolean> {
  const { userId } = planned;
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    if ((await transaction.personErasure.count({ where: { userId } })) > 0) return true;
    return saveEraseAt(transaction, planned);
  });
}

/** Consent was given again: the snapshots stay, unless erasing them has begun. */
export async function clearEraseAt(
  transaction: Transaction,
  { userId, sealing, at, by }: Omit<PlannedErasure, 'eraseAt'>,
): Promise<void> {
  const before = await findErasureFacts(transaction, userId);
  if (before === null || before.eraseAt === null) return;
  if (await saveSealed(transaction, before, { eraseAt: null, sealing }))
    await saveEvent(transaction, 'user', userId, { to: 'snapshots kept', reason: 'consent', at, by });
}

/** Takes over from the card of a repository, which is newer than the row, when its snapshots are erased. */
export async function saveEraseAtOfCard(
  transaction: Transaction,
  { userId, eraseAt, sealing }: Pick<PlannedErasure, 'userId' | 'eraseAt' | 'sealing'>,
): Promise<void> {
  const before = await findErasureFacts(transaction, userId);
  if (before !== null) await saveSealed(transaction, before, { eraseAt, sealing });
}

/** Whether a person's repository is to be erased by now, or is being erased: of both the same is said. */
export async function isErasureDue(database: Database, { userId, at }: { userId: string; at: Date }): Promise<boolean> {
  return (await database.repository.count({ where: { userId, eraseAt: { lte: at } } })) > 0;
}

export interface RepositoryToErase {
  id: string;
  eraseAt: Date | null;
  /** Vouches for it. */
  eraseSeal: RowSeal | null;
  userId: string;
  location: string;
  /** The stores in which files of it may be; null for that of the settings. */
  store: string | null;
  movingTo: string | null;
  formerStore: string | null;
  /** Sealed for owner and place. */
  sealedPassword: Uint8Array;
}

/** What comes before all of them. */
export const beforeAllToErase: Pick<RepositoryToErase, 'eraseAt' | 'id'> = {
  eraseAt: new Date(-1),
  id: '00000000-0000-0000-0000-000000000000',
};

/**
 * Repositories that are due, that no worker may still write to and no restore to the source reads, and those that are half erased, after one of
 * them.
 */
export async function listRepositoriesToErase(
  database: Database,
  { at, after, limit }: { at: Date; after: Pick<RepositoryToErase, 'eraseAt' | 'id'>; limit: number },
): Promise<RepositoryToErase[]> {
  const eraseAt = after.eraseAt ?? begun;
  const inHand = { plans: { some: { runs: { some: { leaseUntil: { gt: at } } } } } };
  return database.repository.findMany({
    where: {
      OR: [{ eraseAt: begun }, { eraseAt: { lte: at }, user: { NOT: inHand, restores: { none: beingWritten(at) } } }],
      AND: { OR: [{ eraseAt: { gt: eraseAt } }, { eraseAt, id: { gt: after.id } }] },
    },
    orderBy: [{ eraseAt: 'asc' }, { id: 'asc' }],
    take: limit,
    select: toErase,
  });
}

/** A person's repository that is half erased, or null. */
export async function findHalfErased(database: Database, userId: string): Promise<RepositoryToErase | null> {
  return database.repository.findFirst({ where: { userId, eraseAt: begun }, select: toErase });
}

const toErase = {
  id: true,
  eraseAt: true,
  eraseSeal: true,
  userId: true,
  location: true,
  store: true,
  movingTo: true,
  formerStore: true,
  sealedPassword: true,
} as const;

/** What a repository held. */
export interface Contents {
  snapshots: number;
  files: number;
  bytes: number;
}

/** Records that erasing begins, and what is there. Answers where files of it are now; null where consent was given again. */
export async function beginErasing(
  database: Database,
  { repository, contents, at }: { repository: RepositoryToErase; contents: Contents; at: Date },
): Promise<RepositoryToErase | null> {
  const { id, userId } = repository;
  return inTransaction(database, async (transaction) => {
    const { count } = await transaction.repository.updateMany({
      where: { id, eraseAt: { lte: at, gt: begun } },
      data: { eraseAt: begun },
    });
    if (count === 1) {
      const reason = textOf(id, contents);
      await saveEvent(transaction, 'user', userId, { to: 'snapshots being erased', reason, at, by: 'schedule' });
    }
    return transaction.repository.findFirst({ where: { id, eraseAt: begun }, select: toErase });
  });
}

/** Deletes the row of a repository once all its files are gone; the event is the person's receipt. */
export async function finishErasing(
  database: Database,
  { repository: { id, userId }, at }: { repository: RepositoryToErase; at: Date },
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    const { count } = await transaction.repository.deleteMany({ where: { id, eraseAt: begun } });
    if (count === 0) return;
    await transaction.verification.deleteMany({ where: { userId } });
    const began = await findEvent(transaction, userId, 'snapshots being erased');
    await transaction.run.updateMany({ where: { plan: { userId } }, data: { snapshotId: null } });
    const reason = began?.reason ?? textOf(id, { snapshots: 0, files: 0, bytes: 0 });
    await saveEvent(transaction, 'user', userId, { to: 'snapshots erased', reason, at, by: 'schedule' });
    await saveAudit(transaction, { at, by: 'schedule', act: 'snapshots-erased', userId, about: reason });
  });
}

/** The receipt of an erasure. */
export interface Erasure extends Contents {
  repositoryId: string;
  at: Date;
}

/** What was last erased of a person, and when; null where nothing ever was. */
export async function findErasure(database: Transaction, userId: string): Promise<Erasure | null> {
  const event = await findEvent(database, userId, 'snapshots erased');
  const [, repositoryId = '', snapshots, files, bytes] = contentsShape.exec(event?.reason ?? '') ?? [];
  if (event === null) return null;
  return { repositoryId, snapshots: Number(snapshots), files: Number(files), bytes: Number(bytes), at: event.at };
}

const contentsShape = /^(\S+): (\d+) snapshots?, (\d+) files?, (\d+) bytes?$/;

function textOf(id: string, { snapshots, files, bytes }: Contents): string {
  return `${id}: ${countWords(snapshots, 'snapshot')}, ${countWords(files, 'file')}, ${countWords(bytes, 'byte')}`;
}

function findEvent(database: Transaction, userId: string, to: string) {
  return database.event.findFirst({ where: { subjectKind: 'user', subjectId: userId, to }, orderBy: { id: 'desc' } });
}
