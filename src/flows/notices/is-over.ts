import {
  type ClaimedDelivery,
  countLostRotations,
  findLastDelivered,
  isStillOpen,
} from '../../database/notices/notices.ts';
import { listHeldRetentions } from '../../database/repositories/retention.ts';
import { isOfAnAct, type NoticeFacts, noticesForPerson, tellsTheSame } from '../../domain/notices.ts';
import { heldTooLongMs } from '../../domain/retention/held.ts';
import type { Resources } from '../../resources.ts';
import { listProtectionsOf } from '../nights/find-protection.ts';
import { foreseeNight } from '../nights/foresee-night.ts';
import { tallyRepositories } from '../nights/tally-repositories.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database'>;
type Facts<Kind extends NoticeFacts['kind']> = Extract<NoticeFacts, { kind: Kind }>;

/**
 * Whether what a notice tells of has ended since, or has never been told to whom it says that it has: it may have waited for its channel for hours,
 * and what came later may have arrived already.
 */
export async function isOver(resources: Needs, delivery: ClaimedDelivery): Promise<boolean> {
  const { clock, database } = resources;
  const { channel, createdAt, facts, userId } = delivery;
  if (userId !== null) return !isOfAnAct(facts) && !(await isTrueOfPerson(resources, { userId, facts }));
  switch (facts.kind) {
    case 'circuit':
      if (isOfOpening(facts)) return !(await isStillOpen(database, facts.issuer, createdAt));
      return isStillOpen(database, facts.issuer, clock.now());
    case 'repositories':
      return isOverOfRepositories(resources, { channel, facts });
    case 'forecast':
      return isOverOfForecast(resources, { channel, facts });
    case 'rotation_lost':
      return (await countLostRotations(database)) === 0;
    default:
      return false;
  }
}

/** Whether it says of a circuit that it has opened. */
export function isOfOpening(facts: NoticeFacts): facts is Facts<'circuit'> & { openMs?: never } {
  return facts.kind === 'circuit' && facts.openMs === undefined;
}

async function isTrueOfPerson(
  resources: Needs,
  { userId, facts }: { readonly userId: string; readonly facts: NoticeFacts },
): Promise<boolean> {
  const people = await listProtectionsOf(resources, [userId]);
  const now = people.flatMap((person) => noticesForPerson(person, resources.clock.now()));
  return now.some((notice) => tellsTheSame(notice.facts, facts));
}

type Told<Kind extends NoticeFacts['kind']> = Pick<ClaimedDelivery, 'channel'> & { readonly facts: Facts<Kind> };

async function isOverOfRepositories(resources: Needs, { channel, facts }: Told<'repositories'>): Promise<boolean> {
  const { clock, database } = resources;
  switch (facts.are) {
    case 'held':
      return (await listHeldRetentions(database, new Date(clock.now().getTime() - heldTooLongMs))).length === 0;
    case 'back': {
      const told = await findLastDelivered(database, { channel, kind: facts.kind, are: ['gone', 'back'] });
      return told?.kind !== 'repositories' || told.are !== 'gone';
    }
    case 'healed':
      return false;
    case 'damaged':
    case 'gone':
    case 'unverified':
      return (await tallyRepositories(resources))[facts.are] === 0;
  }
}

async function isOverOfForecast(resources: Needs, { channel, facts }: Told<'forecast'>): Promise<boolean> {
  const forecast = await foreseeNight(resources);
  if (forecast !== null && forecast.holds !== facts.holds) return true;
  if (!facts.holds) return false;
  const told = await findLastDelivered(resources.database, { channel, kind: facts.kind });
  return told?.kind !== 'forecast' || told.holds;
}
