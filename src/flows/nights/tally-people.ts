import { claimKeptFigure, findKeptFigure, saveKeptFigure } from '../../database/kept-figures.ts';
import { addToTally, newTally, type PeopleTally, type TalliedPeople } from '../../domain/people-tally.ts';
import type { Resources } from '../../resources.ts';
import { eachProtection, type JudgedPerson } from './find-protection.ts';
import { dearMs, rest } from './keep-figure.ts';

type Needs = Pick<Resources, 'clock' | 'database'>;

const name = 'people by verdict';
/** It is kept for this long while a worker counts it again. */
const countingMs = 2 * 3_600_000;

/**
 * How people are, for pages, metrics and status: counted now, or, where that takes long, as workers counted it last, `since` that moment
 * where one is named.
 */
export async function tallyPeople(
  resources: Needs & Pick<Resources, 'peopleCount'>,
  since = new Date(0),
): Promise<TalliedPeople> {
  const { clock, database, peopleCount } = resources;
  const kept = await findKeptFigure(database, name);
  const isFresh = kept !== null && clock.now().getTime() < kept.dueAt.getTime() + countingMs;
  if (isFresh && kept.countedAt >= since) return talliedFrom(kept);
  const { underWay } = peopleCount;
  if (underWay !== null && underWay.at >= since) return underWay.result;
  const begun = { at: clock.now(), result: countPeople(resources) };
  peopleCount.underWay = begun;
  try {
    return await begun.result;
  } finally {
    if (peopleCount.underWay === begun) peopleCount.underWay = null;
  }
}

/**
 * The same for workers, which go through everybody where it is due, and hand over each batch of people as it is now. Another worker may
 * be at it: then it is as that one counted it last.
 */
export async function recountPeople(
  resources: Needs,
  onBatch: (people: readonly JudgedPerson[], at: Date) => Promise<void>,
): Promise<TalliedPeople> {
  const { clock, database } = resources;
  const at = clock.now();
  const kept = await findKeptFigure(database, name);
  if (kept === null) return countPeople(resources, onBatch);
  const { dueAt } = kept;
  const isMine =
    dueAt <= at && (await claimKeptFigure(database, { name, dueAt, until: new Date(at.getTime() + countingMs) }));
  return isMine ? countPeople(resources, onBatch) : talliedFrom(kept);
}

async function countPeople(
  resources: Needs,
  onBatch: (people: readonly JudgedPerson[], at: Date) => Promise<void> = async () => {},
): Promise<TalliedPeople> {
  const { clock, database } = resources;
  const at = clock.now();
  const began = clock.elapsed();
  const tally = newTally();
  for await (const people of eachProtection(resources)) {
    for (const { protection } of people) addToTally(tally, protection, at);
    await onBatch(people, at);
  }
  const tookMs = clock.elapsed() - began;
  if (tookMs >= dearMs)
    await saveKeptFigure(database, {
      name,
      value: tally,
      countedAt: at,
      dueAt: new Date(at.getTime() + rest * tookMs),
    });
  return { tally, at };
}

function talliedFrom({ value, countedAt }: { value: unknown; countedAt: Date }): TalliedPeople {
  // Written by countPeople alone.
  return { tally: value as PeopleTally, at: countedAt };
}
