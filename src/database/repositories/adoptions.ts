import { randomUUID } from 'node:crypto';
import type { FormerAlarm, FormerPlan, RepositoryCard } from '../../domain/repository-card.ts';
import { readFormerPlan } from '../../domain/repository-card.ts';
import type { ErasureFacts, PersonFacts, PlaceFacts, RowSealing } from '../../domain/row-facts.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { Prisma, type User } from '../generated/client.ts';
import { lockUser } from '../people/users.ts';
import { type CardRow, findCardRow } from './cards.ts';
import { clearEraseAt, notBeingErased, saveEraseAtOfCard } from './erasures.ts';

/** Whether a repository has this place here, whichever store it is in. */
export async function isKnownPlace(database: Database, location: string): Promise<boolean> {
  return (await database.repository.count({ where: { location } })) > 0;
}

/** The places that repositories have here, whichever store they are in. */
export async function listKnownPlaces(database: Database): Promise<Set<string>> {
  const rows = await database.repository.findMany({ select: { location: true } });
  return new Set(rows.map(({ location }) => location));
}

/** The repository that has this place here, whichever store it is in; null where none has, or it is being erased. */
export async function findRowOfPlace(database: Database, location: string): Promise<CardRow | null> {
  const row = await database.repository.findUnique({ where: { location }, select: { id: true } });
  return row && findCardRow(database, row.id);
}

export interface FoundElsewhere {
  readonly row: CardRow;
  readonly store: string | null;
  /** Its address. */
  readonly about: string;
  /** Where files were left; null where none were. */
  readonly formerStore: string | null;
  /** The password, sealed for the place where it was found. */
  readonly password: { readonly sealed: Uint8Array<ArrayBuffer>; readonly keyId: string };
  readonly at: Date;
  readonly by: string;
}

/** Puts on record that a repository is in another store than its row says. False, and nothing changes, where the row is another by now. */
export async function saveFoundElsewhere(database: Database, found: FoundElsewhere): Promise<boolean> {
  const { row, store, about, formerStore, password, at, by } = found;
  const { id, userId, location, store: former } = row;
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const { count } = await transaction.repository.updateMany({
      where: { id, location, store: former, ...notBeingErased },
      data: { store, movingTo: null, formerStore, sealedPassword: password.sealed, keyId: password.keyId },
    });
    if (count === 1) await saveAudit(transaction, { at, by, act: 'repository-moved', userId, about });
    return count === 1;
  });
}

/** Whether somebody of that issuer and subject has a repository here. */
export async function hasRepository(
  database: Database,
  { issuer, subject }: RepositoryCard['owner'],
): Promise<boolean> {
  return (await database.repository.count({ where: { user: { issuer, subject } } })) > 0;
}

/** The id that somebody of that issuer and subject has here. */
export async function getOwnerId(
  database: Database,
  { issuer, subject }: Pick<RepositoryCard['owner'], 'issuer' | 'subject'>,
): Promise<string> {
  const where = { issuer_subject: { issuer, subject } };
  return (await database.user.findUniqueOrThrow({ where, select: { id: true } })).id;
}

/** Who somebody is, wherever they sign in. */
export async function getOwner(database: Database, userId: string): Promise<RepositoryCard['owner']> {
  const select = { issuer: true, subject: true, username: true } as const;
  return { userId, ...(await database.user.findUniqueOrThrow({ where: { id: userId }, select })) };
}

export interface AdoptedRow {
  readonly id: string;
  readonly location: string;
  readonly store: string | null;
  readonly recoveryKeyFile: string | null;
  readonly recoveryKeptAt: Date | null;
  readonly eraseAt: Date | null;
  readonly createdAt: Date;
  readonly formerPlan: FormerPlan | null;
}

export interface Adopted {
  readonly row: AdoptedRow;
  readonly owner: RepositoryCard['owner'];
  readonly seals: {
    readonly person: RowSealing<PersonFacts>;
    readonly erasure: RowSealing<ErasureFacts>;
    /** The password of the repository, sealed for its owner and place. */
    password(place: PlaceFacts): { sealed: Uint8Array<ArrayBuffer>; keyId: string };
  };
  readonly at: Date;
  readonly by: string;
}

/**
 * Gives a repository to its person, who is noted where they have not signed in here yet. False, and nothing changes, where the
 * repository or another one of that person is here already.
 */
export async function saveAdopted(database: Database, { row, owner, seals, at, by }: Adopted): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const { id: userId } = await noteOwner(transaction, { owner, seals, at });
    await lockUser(transaction, userId);
    const { formerPlan, ...rest } = row;
    const plan = formerPlan === null ? Prisma.DbNull : (formerPlan as unknown as Prisma.InputJsonObject);
    const { sealed: sealedPassword, keyId } = seals.password({ ...rest, userId });
    // Whoever has the key has seen it.
    const seen = { recoverySeenAt: row.recoveryKeptAt };
    const eraseSeal = row.eraseAt === null ? null : seals.erasure.seal({ ...rest, userId });
    const data = { ...rest, ...seen, eraseSeal, userId, sealedPassword, keyId, adoptedAt: at, formerPlan: plan };
    const { count } = await transaction.repository.createMany({ data, skipDuplicates: true });
    if (count === 1) await saveAudit(transaction, { at, by, act: 'repository-adopted', userId, about: row.location });
    return count === 1;
  });
}

/** They keep the id that records elsewhere may have, unless it is somebody else's here. */
async function noteOwner(
  transaction: Transaction,
  { owner, seals, at }: Pick<Adopted, 'owner' | 'seals' | 'at'>,
): Promise<User> {
  const { issuer, subject, username } = owner;
  const isTaken = (await transaction.user.count({ where: { id: owner.userId } })) > 0;
  const facts = { id: isTaken ? randomUUID() : owner.userId, issuer, subject, username, claims: {} };
  const user = await transaction.user.upsert({
    where: { issuer_subject: { issuer, subject } },
    create: { ...facts, createdAt: at, seal: seals.person.seal(facts) },
    update: {},
  });
  seals.person.require(user);
  return user;
}

/** The plan that a person had in the installation that their repository was taken over from, until they consent. */
export async function findFormerPlan(database: Transaction, userId: string): Promise<FormerPlan | null> {
  const row = await database.repository.findUnique({ where: { userId }, select: { formerPlan: true } });
  return readFormerPlan(row?.formerPlan);
}

/** Runs of this slot were taken over with a plan: they hold the retention, and say nothing of what later nights wrote. */
export const formerSlot = 'former';

/** Puts the backup on record that nobody has looked at in the installation that is lost, so that they still can. */
export async function saveFormerAlarm(
  transaction: Transaction,
  planId: string,
  { kind: alarm, endedAt, ...run }: FormerAlarm,
): Promise<void> {
  const at = new Date(endedAt);
  const times = { dueAt: at, queuedAt: at, triedUntil: at, startedAt: at, finishedAt: at };
  await transaction.run.create({
    data: { ...run, ...times, id: randomUUID(), planId, slot: formerSlot, trigger: 'schedule', alarm },
  });
}

/** What a card says that was written after the rows were as they are. */
export interface FromCard {
  readonly row: CardRow;
  readonly eraseAt: Date | null;
  /** Absent where it is as in the row. */
  readonly recovery?: { readonly keyFile: string | null; readonly keptAt: Date | null };
  readonly alarm?: FormerAlarm;
  /** Vouches for when the snapshots are erased. */
  readonly sealing: RowSealing<ErasureFacts>;
  readonly at: Date;
  readonly by: string;
}

/** Takes it over; whether anything was otherwise in the rows. */
export async function saveFromCard(
  database: Database,
  { row, eraseAt, recovery, alarm, sealing, at, by }: FromCard,
): Promise<boolean> {
  const { id, userId, user } = row;
  const [plan] = user.plans;
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const isChosen = eraseAt?.getTime() !== row.eraseAt?.getTime();
    if (isChosen && eraseAt === null) await clearEraseAt(transaction, { userId, sealing, at, by });
    else if (isChosen && eraseAt !== null) {
      await saveEraseAtOfCard(transaction, { userId, eraseAt, sealing });
      const about = `on ${eraseAt.toISOString()}`;
      await saveAudit(transaction, { at, by, act: 'erasure-chosen', userId, about });
    }
    if (recovery !== undefined) {
      const { keyFile: recoveryKeyFile, keptAt } = recovery;
      const kept = { sealedRecoveryKey: null, recoverySeenAt: keptAt, recoveryKeptAt: keptAt };
      // One that nobody is known to have is made anew by the next night, as after an adoption.
      const data = { recoveryKeyFile, ...kept, adoptedAt: keptAt === null ? at : row.adoptedAt };
      await transaction.repository.updateMany({ where: { id }, data });
    }
    const isAlarmNew = alarm !== undefined && plan !== undefined && (await lacksAlarm(transaction, plan.id, alarm));
    if (isAlarmNew) await saveFormerAlarm(transaction, plan.id, alarm);
    return isChosen || recovery !== undefined || isAlarmNew;
  });
}

async function lacksAlarm(
  transaction: Transaction,
  planId: string,
  { night, snapshotId }: FormerAlarm,
): Promise<boolean> {
  const isThere = {
    planId,
    OR: [
      { snapshotId, alarm: { not: null } },
      { night, slot: formerSlot },
    ],
  };
  return (await transaction.run.count({ where: isThere })) === 0;
}

/** They have one of their own now. */
export async function clearFormerPlan(transaction: Transaction, userId: string): Promise<void> {
  await transaction.repository.updateMany({ where: { userId }, data: { formerPlan: Prisma.DbNull } });
}
