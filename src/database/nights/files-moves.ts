import type { PlanFacts, RowSealing } from '../../domain/row-facts.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import type { Prisma } from '../generated/client.ts';
import { type Delivery, saveDeliveries } from '../notices/notices.ts';
import { lockUser } from '../people/users.ts';
import type { PlanWithPerson } from './plan-rows.ts';
import { readSources } from './runs.ts';

/** The reason of the event of a plan that an operator moved to another address of the same files. */
const filesMoved = 'files moved';

/** An address of files as plans name it, with claims in braces, and how many people's plans do. */
export interface AddressInUse {
  readonly address: string;
  readonly people: number;
}

/** The addresses that plans name, the one of most people first; `living`: only those whose consent was not withdrawn. */
export async function countPlansByAddress(
  database: Database,
  { living }: { living: boolean },
): Promise<AddressInUse[]> {
  return database.$queryRaw<AddressInUse[]>`
    SELECT source ->> 'url' AS address, count(DISTINCT plans.user_id)::int AS people
    FROM plans JOIN grants ON grants.id = plans.grant_id, jsonb_array_elements(plans.sources) AS source
    WHERE NOT ${living} OR grants.state <> 'withdrawn' GROUP BY 1 ORDER BY 2 DESC, 1`;
}

/** Plans that name this address, in the order of their ids, those after `after`. */
export async function listPlansAt(
  database: Database,
  { address, after, limit }: { address: string; after: string; limit: number },
): Promise<PlanWithPerson[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT id FROM plans WHERE sources @> ${JSON.stringify([{ url: address }])}::jsonb AND id > ${after}::uuid ORDER BY id LIMIT ${limit}`;
  const where = { id: { in: rows.map(({ id }) => id) } };
  return database.plan.findMany({ where, include: { user: true }, orderBy: { id: 'asc' } });
}

export interface MoveOfFiles {
  readonly planId: string;
  readonly from: string;
  readonly to: string;
  readonly sealing: RowSealing<PlanFacts>;
  readonly at: Date;
  readonly by: string;
  /** What its person is told. */
  readonly telling: readonly Delivery[];
}

/**
 * Lets a plan name another address of the same files, on the word of an operator; its person is told in the same transaction. False where it
 * does not name the former one any more. Throws `seal/broken` where the plan is not as Nightkeep left it.
 */
export async function saveMovedFiles(
  database: Database,
  { planId, from, to, sealing, at, by, telling }: MoveOfFiles,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const { userId } = await transaction.plan.findUniqueOrThrow({ where: { id: planId }, select: { userId: true } });
    await lockUser(transaction, userId);
    const isMoved = await replaceAddress(transaction, { planId, from, to, sealing });
    if (!isMoved) return false;
    await saveEvent(transaction, 'plan', planId, { from, to, reason: filesMoved, at, by });
    await saveAudit(transaction, { at, by, act: 'files-moved', userId, about: `${from} ${to}` });
    await saveDeliveries(transaction, telling, at);
    return true;
  });
}

/** Lets a plan name this address alone, to which its person has just agreed. */
export async function saveAgreedAddress(
  transaction: Transaction,
  { planId, address, sealing, at, by }: Pick<MoveOfFiles, 'planId' | 'sealing' | 'at' | 'by'> & { address: string },
): Promise<void> {
  const { sources } = await transaction.plan.findUniqueOrThrow({ where: { id: planId }, select: { sources: true } });
  const [former] = readSources(sources);
  if (former === undefined || former.url === address) return;
  await replaceAddress(transaction, { planId, from: former.url, to: address, sealing });
  await saveEvent(transaction, 'plan', planId, { from: former.url, to: address, reason: 'consent renewed', at, by });
}

async function replaceAddress(
  transaction: Transaction,
  { planId, from, to, sealing }: Pick<MoveOfFiles, 'planId' | 'from' | 'to' | 'sealing'>,
): Promise<boolean> {
  const plan = await transaction.plan.findUniqueOrThrow({ where: { id: planId } });
  const named = Array.isArray(plan.sources) ? (plan.sources as Prisma.JsonObject[]) : [];
  if (!named.some(({ url }) => url === from)) return false;
  const sources = named.map((source) => (source.url === from ? { ...source, url: to } : source));
  await transaction.plan.update({
    where: { id: planId },
    data: { sources, seal: sealing.reseal(plan, { ...plan, sources }) },
  });
  return true;
}

/** That the operator stated another address of a person's files, which they have not agreed to themselves since. */
export interface StatedMove {
  readonly at: Date;
  readonly from: string;
  readonly to: string;
}

/** The last such statement about a plan; null where there is none, or its person has agreed anew. */
export async function findStatedMove(database: Database, planId: string): Promise<StatedMove | null> {
  const event = await database.event.findFirst({
    where: { subjectKind: 'plan', subjectId: planId, reason: filesMoved },
    orderBy: { id: 'desc' },
  });
  if (event === null) return null;
  const { at, from, to } = event;
  const { grantId } = await database.plan.findUniqueOrThrow({ where: { id: planId }, select: { grantId: true } });
  if ((await database.consent.count({ where: { grantId, agreedAt: { gt: at } } })) > 0) return null;
  return { at, from: from ?? '', to };
}
