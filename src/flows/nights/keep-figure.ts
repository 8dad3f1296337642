import {
  claimKeptFigure,
  dropKeptFigure,
  findKeptFigure,
  saveKeptFigure,
} from '../../database/records/kept-figures.ts';
import { minuteMs } from '../../durations.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database'>;

/** A figure, and as of when. */
export interface Figure<Value> {
  readonly value: Value;
  readonly at: Date;
}

/** What is counted more quickly than this is counted each time. */
export const slowMs = 100;
/**
 * Otherwise it is kept for this many times as long as counting took, so that counting takes at most a hundredth of a processor, however many people
 * there are.
 */
const timesKept = 100;
/** So long whoever counts it may take; meanwhile others tell what was counted before. */
const countingMs = 5 * minuteMs;

/**
 * A figure that takes longer to count the more people there are, as JSON: counted now or, if counting takes long, as it was last counted. `of` says
 * what it is the figure of; a figure of something else is not answered.
 */
export async function keepFigure<Value>(
  { clock, database }: Needs,
  { name, of }: { name: string; of: string },
  count: () => Promise<Value>,
): Promise<Figure<Value>> {
  const at = clock.now();
  const found = await findKeptFigure(database, name);
  // Written here alone.
  const kept = found as (typeof found & { value: { of: string; value: Value } }) | null;
  if (kept !== null && kept.value.of === of) {
    const { dueAt, countedAt } = kept;
    const until = new Date(at.getTime() + countingMs);
    if (at < dueAt || !(await claimKeptFigure(database, { name, countedAt, at, until })))
      return { value: kept.value.value, at: countedAt };
  }
  const began = clock.elapsed();
  const value = await count();
  const tookMs = clock.elapsed() - began;
  await keepCount(database, { name, value: { of, value }, at, tookMs, isKept: kept !== null });
  return { value, at };
}

/** Keeps a figure that took long to count, and no longer one that was quick. */
export async function keepCount(
  database: Needs['database'],
  { name, value, at, tookMs, isKept, leastMs = slowMs }: Count,
): Promise<void> {
  if (tookMs >= leastMs) {
    const dueAt = new Date(at.getTime() + timesKept * tookMs);
    await saveKeptFigure(database, { name, value, countedAt: at, dueAt });
  } else if (isKept) await dropKeptFigure(database, name);
}

interface Count {
  readonly name: string;
  readonly value: object;
  readonly at: Date;
  readonly tookMs: number;
  readonly isKept: boolean;
  /** From when on it took long. */
  readonly leastMs?: number;
}

const oldMs = minuteMs;

/** Whether a figure is so old that the page says when it was counted. */
export function isOldFigure(countedAt: Date, now: Date): boolean {
  return now.getTime() - countedAt.getTime() >= oldMs;
}
