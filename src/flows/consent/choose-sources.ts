import { inTransaction, type Transaction } from '../../database/client.ts';
import {
  type ChoiceRows,
  findChoiceRows,
  type LeftOut,
  listLeftOut,
  saveChosenSources,
} from '../../database/consent/source-choices.ts';
import { readSources } from '../../database/nights/plan-rows.ts';
import { lockUser, readPerson } from '../../database/people/users.ts';
import type { PlanFacts, Sealed } from '../../domain/row-facts.ts';
import { type SourceChoice, sourceChoiceOf } from '../../domain/source-choice.ts';
import { plannedSources } from '../../domain/source-names.ts';
import type { Resources } from '../../resources.ts';
import { personSealing, planSealing } from '../../vault/row-seals.ts';
import { markPlan, requireNewest } from '../keys/marks.ts';
import { standingOf } from '../nights/sources-of.ts';
import { provenAddresses } from './agreed-proof.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database' | 'keyring' | 'log' | 'marks' | 'store'>;

export interface ChooseSources {
  readonly userId: string;
  /** What is to be backed up from the next backup on; the rest is left out. */
  readonly names: readonly string[];
  readonly by: string;
  /** Why, in the words of the operator who does it for them. */
  readonly words?: string | undefined;
}

/**
 * What came of it. Nothing was changed where there is no consent (`ended`), and where nothing was named (`none`), or something that the person has
 * not agreed to (`not-agreed`).
 */
export type ChoiceMade = 'chosen' | 'unchanged' | 'ended' | 'none' | 'not-agreed';

/**
 * Backs up these of what a person has agreed to, from the next backup on. What is left out stays in the snapshots that hold it, and is left out also if
 * somebody puts the former row of the plan back. Throws `seal/broken` and `seal/replayed` where person or plan are not as Nightkeep left them.
 */
export async function chooseSources(resources: Needs, choice: ChooseSources): Promise<ChoiceMade> {
  const { database } = resources;
  const rows = await findChoiceRows(database, choice.userId);
  // A choice made in an older row would pass for the newest.
  if (rows !== null && rows.state !== 'withdrawn')
    await requireNewest(resources, choice.userId, standingOf(resources, rows.plan));
  const made = await inTransaction(database, (transaction) => chooseIn(transaction, resources, choice));
  if (typeof made === 'string') return made;
  await markPlan(resources, made);
  return 'chosen';
}

/** The plan where it is another one now. */
async function chooseIn(
  transaction: Transaction,
  { clock, config, keyring }: Needs,
  { userId, names, by, words }: ChooseSources,
): Promise<Sealed<PlanFacts> | Exclude<ChoiceMade, 'chosen'>> {
  await lockUser(transaction, userId);
  const rows = await findChoiceRows(transaction, userId);
  if (rows === null || rows.state === 'withdrawn') return 'ended';
  personSealing(keyring).require(rows.plan.user);
  const { choosable } = choiceIn({ config, keyring }, rows);
  if (names.some((name) => choosable.every((source) => source.name !== name))) return 'not-agreed';
  const chosen = choosable.filter(({ name }) => names.includes(name));
  if (chosen.length === 0) return 'none';
  if (choosable.every((source) => source.isChosen === chosen.includes(source))) return 'unchanged';
  const [sources, sealing] = [plannedSources(chosen), planSealing(keyring)];
  return saveChosenSources(transaction, { plan: rows.plan, sources, sealing, at: clock.now(), by, words });
}

function choiceIn(
  { config, keyring }: Pick<Resources, 'config' | 'keyring'>,
  { plan, terms }: ChoiceRows,
): SourceChoice {
  const agreed = provenAddresses(keyring, plan, terms);
  return sourceChoiceOf(config, { person: readPerson(plan.user), planned: readSources(plan.sources), agreed });
}

/** What a person has chosen, and may choose. */
export interface FoundChoice extends SourceChoice {
  /** What they have agreed to and is left out, since when and through whom, as far as that is still on record. */
  readonly leftOutSince: readonly LeftOut[];
}

/** Null where nothing of the person is backed up, or their consent was withdrawn. */
export async function findSourceChoice(
  { config, database, keyring }: Pick<Resources, 'config' | 'database' | 'keyring'>,
  userId: string,
): Promise<FoundChoice | null> {
  const rows = await findChoiceRows(database, userId);
  if (rows === null || rows.state === 'withdrawn') return null;
  const choice = choiceIn({ config, keyring }, rows);
  const left = choice.choosable.filter(({ isChosen }) => !isChosen).map(({ name }) => name);
  const { plan, agreedAt: since } = rows;
  const leftOutSince = await listLeftOut(database, { planId: plan.id, names: [...left, ...choice.leftOut], since });
  return { ...choice, leftOutSince };
}
