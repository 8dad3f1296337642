import type { PlanFacts, RowSealing } from '../../domain/row-facts.ts';
import type { PlannedSource, SourceAddress } from '../../domain/source-names.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import type { Plan, Prisma } from '../generated/client.ts';
import { type Delivery, saveDeliveries } from '../notices/notices.ts';
import { lockUser } from '../people/users.ts';
import type { PlanWithPerson } from './plan-rows.ts';
import { readSources } from './plan-rows.ts';

/** The reason of the event of a plan that an operator moved to another address of the same files. */
const filesMoved = 'files moved';

/** An address as plans name it, with claims in braces, what of people is there, and how many people's plans name it. */
export interface AddressInUse {
  readonly name: string;
  readonly address: string;
  readonly people: number;
}

/** The addresses that plans name, the one of most people first; `living`: only those whose consent was not withdrawn. */
export async function countPlansByAddress(
  database: Database,
  { living }: { living: boolean },
): Promise<AddressInUse[]> {
  return database.$queryRaw<AddressInUse[]>`
    SELECT source ->> 'name' AS name, source ->> 'url' AS address, count(DISTINCT plans.user_id)::int AS people
    FROM plans JOIN grants ON grants.id = plans.grant_id, jsonb_array_elements(plans.sources) AS source
    WHERE NOT ${living} OR grants.state <> 'withdrawn' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`;
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
  /** What of the person is there. */
  readonly names: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly sealing: RowSealing<PlanFacts>;
  readonly at: Date;
  readonly by: string;
  /** What its person is told. */
  readonly telling: readonly Delivery[];
}

/**
 * Lets a plan name another address of the same files, on the word of an operator; its person is told in the same transaction, unless they have
 * withdrawn and nothing is fetched. False where it does not name the former one any more. Throws `seal/broken` where the plan is not as Nightkeep left it.
 */
export async function saveMovedFiles(
  database: Database,
  { planId, names, from, to, sealing, at, by, telling }: MoveOfFiles,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const { userId } = await transaction.plan.findUniqueOrThrow({ where: { id: planId }, select: { userId: true } });
    await lockUser(transaction, userId);
    const withdrawn = await transaction.plan.count({ where: { id: planId, grant: { state: 'withdrawn' } } });
    const isMoved = await replaceAddress(transaction, { planId, names, from, to, sealing });
    if (!isMoved) return false;
    await saveEvent(transaction, 'plan', planId, { from, to, reason: filesMoved, at, by });
    await saveAudit(transaction, { at, by, act: 'files-moved', userId, about: `${from} ${to}` });
    if (withdrawn === 0) await saveDeliveries(transaction, telling, at);
    return true;
  });
}

/** Lets a plan name these sources alone, to which its person has just agreed; answers what it says then. */
export async function saveAgreedSources(
  transaction: Transaction,
  {
    planId,
    sources,
    sealing,
    at,
    by,
  }: Pick<MoveOfFiles, 'planId' | 'sealing' | 'at' | 'by'> & { sources: readonly PlannedSource[] },
): Promise<Plan> {
  const plan = await transaction.plan.findUniqueOrThrow({ where: { id: planId } });
  const before = readSources(plan.sources);
  const names = new Set([...before, ...sources].map(({ name }) => name));
  const urlIn = (list: readonly SourceAddress[], wanted: string) => list.find(({ name }) => name === wanted)?.url;
  const changes = [...names].flatMap((name) => {
    const [from, to] = [urlIn(before, name), urlIn(sources, name)];
    return from === to ? [] : [{ from: from ?? null, to: to ?? '' }];
  });
  if (changes.length === 0) return plan;
  const seal = sealing.reseal(plan, { ...plan, sources: [...sources] });
  const agreed = await transaction.plan.update({ where: { id: planId }, data: { sources: [...sources], seal } });
  for (const change of changes)
    await saveEvent(transaction, 'plan', planId, { ...change, reason: 'consent renewed', at, by });
  return agreed;
}

async function replaceAddress(
  transaction: Transaction,
  { planId, names, from, to, sealing }: Pick<MoveOfFiles, 'planId' | 'names' | 'from' | 'to' | 'sealing'>,
): Promise<boolean> {
  const plan = await transaction.plan.findUniqueOrThrow({ where: { id: planId } });
  const named = Array.isArray(plan.sources) ? (plan.sources as Prisma.JsonObject[]) : [];
  const isMoved = ({ name, url }: Prisma.JsonObject) => url === from && names.some((one) => one === name);
  if (!named.some(isMoved)) return false;
  const sources = named.map((source) => (isMoved(source) ? { ...source, url: to } : source));
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

/** Such statements about a plan since its person agreed last, the newest first. */
export async function listStatedMoves(database: Database, planId: string): Promise<StatedMove[]> {
  const { grantId } = await database.plan.findUniqueOrThrow({ where: { id: planId }, select: { grantId: true } });
  const agreed = await database.consent.findFirst({
    where: { grantId },
    orderBy: { agreedAt: 'desc' },
    select: { agreedAt: true },
  });
  const since = agreed?.agreedAt ?? new Date(0);
  const events = await database.event.findMany({
    where: { subjectKind: 'plan', subjectId: planId, reason: filesMoved, at: { gte: since } },
    orderBy: { id: 'desc' },
    take: mostMoves,
  });
  return events.map(({ at, from, to }) => ({ at, from: from ?? '', to }));
}

const mostMoves = 20;
