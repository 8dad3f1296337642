import type { PlanFacts, RowSealing } from '../../domain/row-facts.ts';
import type { PlannedSource, SourceName } from '../../domain/source-names.ts';
import { saveAudit } from '../audit.ts';
import type { Database, Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import type { Plan } from '../generated/client.ts';
import { type PlanWithPerson, readSources } from '../nights/plan-rows.ts';

/** The reason of the event of a plan of which it was chosen anew what it backs up. */
const sourcesChosen = 'sources chosen';

/** A person's newest plan, the state of its consent, and what was last agreed to. */
export interface ChoiceRows {
  readonly plan: PlanWithPerson;
  readonly state: string;
  readonly terms: unknown;
  readonly agreedAt: Date;
}

/** Null where nothing of the person is backed up. */
export async function findChoiceRows(database: Database | Transaction, userId: string): Promise<ChoiceRows | null> {
  const row = await database.plan.findFirst({
    where: { userId },
    orderBy: { createdAt: 'desc' },
    include: { user: true, grant: { select: { state: true } } },
  });
  if (row === null) return null;
  const { grant, ...plan } = row;
  const consent = await database.consent.findFirst({
    where: { grantId: plan.grantId },
    orderBy: { agreedAt: 'desc' },
    select: { terms: true, agreedAt: true },
  });
  return { plan, state: grant.state, terms: consent?.terms, agreedAt: consent?.agreedAt ?? new Date(0) };
}

export interface ChosenSources {
  readonly plan: PlanWithPerson;
  readonly sources: readonly PlannedSource[];
  readonly sealing: RowSealing<PlanFacts>;
  readonly at: Date;
  readonly by: string;
  /** Why, in the words of the operator who does it for them. */
  readonly words?: string | undefined;
}

/** Lets a plan back up these of what its person has agreed to; answers what it says then. Throws `seal/broken` where the plan is not as Nightkeep left it. */
export async function saveChosenSources(
  transaction: Transaction,
  { plan, sources, sealing, at, by, words }: ChosenSources,
): Promise<Plan> {
  const { id, userId } = plan;
  const [from, to] = [readSources(plan.sources), sources].map((list) => list.map(({ name }) => name).join(' '));
  const seal = sealing.reseal(plan, { ...plan, sources: [...sources] });
  const chosen = await transaction.plan.update({ where: { id }, data: { sources: [...sources], seal } });
  await saveEvent(transaction, 'plan', id, { from: from ?? null, to: to ?? '', reason: sourcesChosen, at, by });
  await saveAudit(transaction, { at, by, act: 'sources-chosen', userId, about: to, reason: words });
  return chosen;
}

/** Something that was left out after its person had agreed to it: since when, and through whom. */
export interface LeftOut {
  readonly name: string;
  readonly at: Date;
  readonly by: string;
}

/** When each of these was left out last, since the person agreed; those of which no record is left any more are left out of the answer. */
export async function listLeftOut(
  database: Database,
  { planId, names, since }: { planId: string; names: readonly SourceName[]; since: Date },
): Promise<LeftOut[]> {
  if (names.length === 0) return [];
  const events = await database.event.findMany({
    where: { subjectKind: 'plan', subjectId: planId, reason: sourcesChosen, at: { gte: since } },
    orderBy: { id: 'desc' },
    take: mostChanges,
  });
  return names.flatMap((name) => {
    const had = (list: string | null) => list?.split(' ').includes(name) === true;
    const event = events.find(({ from, to }) => had(from) && !had(to));
    return event === undefined ? [] : [{ name, at: event.at, by: event.by }];
  });
}

const mostChanges = 100;
