import { randomUUID } from 'node:crypto';
import type { ErasureFacts, PersonFacts, PlanFacts, RowSealing } from '../../domain/row-facts.ts';
import { shortId } from '../../domain/short-id.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import type { RevocationEnd } from '../consent/revocations.ts';
import { saveEvent } from '../events.ts';
import { Prisma } from '../generated/client.ts';
import { type Contents, findErasure, saveEraseAt } from '../repositories/erasures.ts';
import { beingWritten } from '../repositories/restores.ts';
import { lockUser } from './users.ts';

/** How many records of a person went as soon as they asked for it. */
export interface Removed {
  readonly sessions: number;
  readonly consents: number;
  readonly uses: number;
  readonly backups: number;
  readonly notices: number;
  readonly events: number;
}

/** What became of the tokens that lived, and of the snapshots. */
export interface Remains {
  /** Tokens that have not been revoked at the provider yet. */
  readonly outstanding: number;
  readonly ended: Readonly<Record<RevocationEnd, number>>;
  /** `kept`: a repository that is still to be erased. Null contents: there was none. */
  readonly snapshots: { readonly kept: boolean; readonly erased: (Contents & { readonly at: string }) | null };
}

export interface ErasureReceipt {
  readonly id: string;
  readonly begunAt: Date;
  readonly removed: Removed;
  readonly remains: Remains;
  /** When nothing was left; null as long as something waits. */
  readonly finishedAt: Date | null;
}

/** The grants of a person that are not withdrawn. */
export async function listGrantsToEnd(database: Database, userId: string): Promise<string[]> {
  const grants = await database.grant.findMany({
    where: { userId, state: { not: 'withdrawn' } },
    select: { id: true },
  });
  return grants.map(({ id }) => id);
}

/** Seals the rows that stay until nothing is left of a person. */
export interface ErasureSeals {
  readonly person: RowSealing<PersonFacts>;
  readonly plan: RowSealing<PlanFacts>;
  readonly erasure: RowSealing<ErasureFacts>;
}

/**
 * Begins to erase a person whose consent has ended: their snapshots are due, and all that nothing else waits for is deleted, or says
 * nothing of them any more. Whoever signs in as them from now on is somebody new. Answers the id of the receipt, also where it was begun
 * before; null where consent was given again meanwhile, and undefined where nothing is left of them.
 */
export async function beginErasingPerson(
  database: Database,
  { userId, receipt, seals, at }: { userId: string; receipt?: string | undefined; seals: ErasureSeals; at: Date },
): Promise<string | null | undefined> {
  const by = `user:${userId}`;
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const begun = await transaction.personErasure.findUnique({ where: { userId }, select: { id: true } });
    if (begun !== null) return begun.id;
    if ((await transaction.user.count({ where: { id: userId } })) === 0) return undefined;
    if (!(await saveEraseAt(transaction, { userId, eraseAt: at, sealing: seals.erasure, at, by }))) return null;
    const removed = await removeRecords(transaction, userId, at);
    await forgetWho(transaction, userId, seals);
    const isFree = receipt !== undefined && (await transaction.personErasure.count({ where: { id: receipt } })) === 0;
    const id = isFree ? receipt : randomUUID();
    await transaction.personErasure.create({ data: { id, userId, begunAt: at, removed: { ...removed } } });
    await saveEvent(transaction, 'user', userId, { to: 'being erased', at, by });
    return id;
  });
}

/** Runs that a worker may still write to stay until it is done: they say that the repository is in use. */
async function removeRecords(transaction: Transaction, userId: string, at: Date): Promise<Removed> {
  const grants = { grant: { userId } };
  const events = await deleteEvents(transaction, userId, 'not needed');
  const nobodys = { OR: [{ leaseUntil: null }, { leaseUntil: { lte: at } }] };
  const [sessions, consents, uses, backups, notices] = [
    await transaction.webSession.deleteMany({ where: { userId } }),
    await transaction.consent.deleteMany({ where: { userId } }),
    await transaction.exchange.deleteMany({ where: grants }),
    await transaction.run.deleteMany({ where: { plan: { userId }, ...nobodys } }),
    await transaction.notice.deleteMany({ where: { userId } }),
  ];
  await transaction.run.updateMany({
    where: { plan: { userId } },
    data: { message: null, problems: Prisma.DbNull, problemCount: 0 },
  });
  await transaction.verification.deleteMany({ where: { userId } });
  await transaction.restore.deleteMany({ where: { userId, OR: [{ finishedAt: { not: null } }, { startedAt: null }] } });
  await transaction.restore.updateMany({
    where: { userId },
    data: { path: '', folder: null, problems: Prisma.DbNull, message: null, cancelledAt: at },
  });
  await transaction.tokenGeneration.deleteMany({ where: { ...grants, sealed: null } });
  await transaction.tokenGeneration.updateMany({ where: grants, data: { sid: null } });
  await transaction.repository.updateMany({ where: { userId }, data: { formerPlan: Prisma.DbNull } });
  return {
    sessions: sessions.count,
    consents: consents.count,
    uses: uses.count,
    backups: backups.count,
    notices: notices.count,
    events,
  };
}

/** What stays says nothing of them any more. */
async function forgetWho(transaction: Transaction, userId: string, seals: ErasureSeals): Promise<void> {
  const subject = `erased:${userId}`;
  await transaction.grant.updateMany({ where: { userId }, data: { subject, sid: null } });
  for (const { id, grantId } of await transaction.plan.findMany({ where: { userId } })) {
    const seal = seals.plan.seal({ userId, grantId, sources: [] });
    await transaction.plan.update({ where: { id }, data: { sources: [], zone: 'UTC', seal } });
  }
  const { issuer } = await transaction.user.findUniqueOrThrow({ where: { id: userId }, select: { issuer: true } });
  const told = { subject, username: null, claims: {} };
  const seal = seals.person.seal({ id: userId, issuer, ...told });
  const rest = { name: null, email: null, language: null, mutedMails: [], lastSignedInAt: null };
  await transaction.user.update({ where: { id: userId }, data: { ...told, ...rest, seal } });
}

/** That a repository is being erased is known by its event: that one stays as long as there is a repository. */
async function deleteEvents(transaction: Transaction, userId: string, which: 'all' | 'not needed'): Promise<number> {
  const { subject } = await transaction.user.findUniqueOrThrow({ where: { id: userId }, select: { subject: true } });
  const needed =
    which === 'all'
      ? Prisma.empty
      : Prisma.sql`AND NOT (events.subject_kind = 'user' AND "to" = 'snapshots being erased')`;
  return transaction.$executeRaw`
    WITH own (kind, id) AS MATERIALIZED (
      VALUES ('user', ${userId}), ('session', ${userId}), ('session', ${`sub:${shortId(subject)}`})
      UNION SELECT 'grant', id::text FROM grants WHERE user_id = ${userId}::uuid
      UNION SELECT 'plan', id::text FROM plans WHERE user_id = ${userId}::uuid
      UNION SELECT 'run', r.id::text FROM runs r JOIN plans p ON p.id = r.plan_id WHERE p.user_id = ${userId}::uuid
    )
    DELETE FROM events USING own WHERE subject_kind = own.kind AND subject_id = own.id ${needed}`;
}

/** People whose erasure is not finished and may be by now, in the order in which they asked. */
export async function listHalfErasedPeople(database: Database): Promise<string[]> {
  const rows = await database.personErasure.findMany({
    where: { finishedAt: null, userId: { not: null } },
    orderBy: { begunAt: 'asc' },
    select: { userId: true },
  });
  return rows.flatMap(({ userId }) => userId ?? []);
}

/** Whether an erasure that was begun waits for nothing any more. */
export async function mayFinishErasing(
  database: Database,
  { userId, at }: { userId: string; at: Date },
): Promise<boolean> {
  return inTransaction(
    database,
    async (transaction) => (await findWhatIsLeft(transaction, { userId, at })) !== undefined,
  );
}

/** Deletes what is left of a person, once nothing waits; false as long as something does. */
export async function finishErasingPerson(
  database: Database,
  { userId, at }: { userId: string; at: Date },
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const erasure = await transaction.personErasure.findUnique({ where: { userId } });
    if (erasure === null) return false;
    const remains = await findWhatIsLeft(transaction, { userId, at });
    if (remains === undefined) return false;
    await deleteEvents(transaction, userId, 'all');
    await transaction.user.delete({ where: { id: userId } });
    await transaction.personErasure.update({
      where: { id: erasure.id },
      data: { userId: null, finishedAt: at, outcome: { ...remains } as unknown as Prisma.InputJsonObject },
    });
    await saveAudit(transaction, { at, by: `user:${userId}`, act: 'person-erased', userId });
    return true;
  });
}

/** What became of tokens and snapshots; undefined as long as something of them is left, or somebody works on it. */
async function findWhatIsLeft(
  transaction: Transaction,
  { userId, at }: { userId: string; at: Date },
): Promise<Remains | undefined> {
  const remains = await findRemains(transaction, userId);
  const inHand = await transaction.run.count({ where: { plan: { userId }, leaseUntil: { gt: at } } });
  const inWriting = await transaction.restore.count({ where: { userId, ...beingWritten(at) } });
  return remains.outstanding > 0 || remains.snapshots.kept || inHand + inWriting > 0 ? undefined : remains;
}

async function findRemains(transaction: Transaction, userId: string): Promise<Remains> {
  const grants = await transaction.grant.findMany({ where: { userId }, select: { id: true } });
  const ids = grants.map(({ id }) => id);
  const outstanding = await transaction.tokenGeneration.count({
    where: { grantId: { in: ids }, sealed: { not: null } },
  });
  const of = (to: RevocationEnd) =>
    transaction.event.count({ where: { subjectKind: 'grant', subjectId: { in: ids }, to } });
  const ended = { revoked: await of('revoked'), expired: await of('expired'), shredded: await of('shredded') };
  const kept = (await transaction.repository.count({ where: { userId } })) > 0;
  const erased = await findErasure(transaction, userId);
  return {
    outstanding,
    ended,
    snapshots: {
      kept,
      erased: erased && {
        snapshots: erased.snapshots,
        files: erased.files,
        bytes: erased.bytes,
        at: erased.at.toISOString(),
      },
    },
  };
}

/** The receipt of that id, as things stand now; null where there is none. */
export async function findErasureReceipt(database: Database, id: string): Promise<ErasureReceipt | null> {
  const row = await database.personErasure.findUnique({ where: { id } });
  if (row === null) return null;
  const { begunAt, finishedAt, outcome, removed, userId } = row;
  const remains = userId === null ? (outcome as unknown as Remains) : await findRemains(database, userId);
  return { id, begunAt, finishedAt, removed: removed as unknown as Removed, remains };
}
