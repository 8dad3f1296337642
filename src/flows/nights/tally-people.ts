import { claimKeptFigure, findKeptFigure } from '../../database/records/kept-figures.ts';
import { addToTally, newTally, type PeopleTally, type TalliedPeople } from '../../domain/people-tally.ts';
import { hourMs, minuteMs } from '../../durations.ts';
import type { Resources } from '../../resources.ts';
import { eachProtection, type JudgedPerson } from './find-protection.ts';
import { keepCount, slowMs } from './keep-figure.ts';

type Needs = Pick<Resources, 'clock' | 'database'>;

/** What is done with each batch of people, as they were at that moment. */
type OnBatch = (people: readonly JudgedPerson[], at: Date) => Promise<void>;

const name = 'people by verdict';
/** So long after it was due pages still tell it as it was: a worker will count it. */
const patienceMs = 2 * hourMs;
/** So long a process that has just begun may take for few people. */
const beginningMs = 1_000;
/** So long a worker may take that counts; then another one may as well. */
const countingMs = 30 * minuteMs;

/** How people are, for pages, metrics and status: counted now, or, where that takes long, as workers counted it last. */
export async function tallyPeople(resources: Needs & Pick<Resources, 'peopleCount'>): Promise<TalliedPeople> {
  const { clock, database, peopleCount } = resources;
  const kept = await findKeptFigure(database, name);
  if (kept !== null && clock.now().getTime() < kept.dueAt.getTime() + patienceMs) return talliedFrom(kept);
  if (peopleCount.underWay !== null) return peopleCount.underWay;
  const underWay = countPeople(resources, { isKept: kept !== null });
  peopleCount.underWay = underWay;
  try {
    return await underWay;
  } finally {
    peopleCount.underWay = null;
  }
}

/** As workers know it: `isOwn` where this one has counted just now. */
export interface Recounted extends TalliedPeople {
  readonly isOwn: boolean;
}

/**
 * The same for workers, which go through everybody where it is due, or was done last before `since`, and hand over each batch of people as
 * it is now. Where another worker is counting, it is the last count.
 */
export async function recountPeople(
  resources: Needs,
  { since, onBatch }: { since: Date; onBatch?: OnBatch | undefined },
): Promise<Recounted> {
  const { clock, database } = resources;
  const at = clock.now();
  const kept = await findKeptFigure(database, name);
  if (kept !== null) {
    const { countedAt, dueAt } = kept;
    const isDue = dueAt <= at || countedAt < since;
    const until = new Date(at.getTime() + countingMs);
    if (!isDue || !(await claimKeptFigure(database, { name, countedAt, at, until })))
      return { ...talliedFrom(kept), isOwn: false };
  }
  return { ...(await countPeople(resources, { isKept: kept !== null, onBatch })), isOwn: true };
}

async function countPeople(
  resources: Needs,
  { isKept, onBatch = async () => {} }: { isKept: boolean; onBatch?: OnBatch | undefined },
): Promise<TalliedPeople> {
  const { clock, database } = resources;
  const at = clock.now();
  const began = clock.elapsed();
  const tally = newTally();
  let batches = 0;
  for await (const people of eachProtection(resources)) {
    batches += 1;
    for (const { protection } of people) addToTally(tally, protection);
    await onBatch(people, at);
  }
  const tookMs = clock.elapsed() - began;
  const leastMs = batches > 1 ? slowMs : beginningMs;
  await keepCount(database, { name, value: tally, at, tookMs, isKept, leastMs });
  return { tally, at };
}

function talliedFrom({ value, countedAt }: { value: unknown; countedAt: Date }): TalliedPeople {
  // Written by countPeople alone.
  return { tally: value as PeopleTally, at: countedAt };
}
