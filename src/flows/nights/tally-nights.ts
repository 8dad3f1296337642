import { listNightOutcomes, type NightOutcome } from '../../database/nights/tonight.ts';
import { findKeptFigure, saveKeptFigure } from '../../database/records/kept-figures.ts';
import { addDays } from '../../domain/nights.ts';
import type { Resources } from '../../resources.ts';

const name = 'nights';
/** This many days after the date of a night, no run counts for it any more. */
const settledAfter = 3;

interface Kept {
  /** The last night that was counted for good. */
  readonly until: string;
  readonly nights: readonly NightOutcome[];
}

/**
 * What the nights up to the one after `date` came to, oldest first. Nights that cannot change any more are counted once and kept, so that counting
 * does not grow with the number of nights shown.
 */
export async function tallyNights(
  { clock, database }: Pick<Resources, 'clock' | 'database'>,
  { date, nights }: { date: string; nights: number },
): Promise<NightOutcome[]> {
  const firstDate = addDays(date, 1 - nights);
  const settled = addDays(date, -settledAfter);
  const found = await findKeptFigure(database, name);
  // Written here alone.
  const kept = (found?.value ?? { until: addDays(firstDate, -1), nights: [] }) as Kept;
  const known = kept.nights.filter(({ night }) => night >= firstDate);
  const from = [addDays(kept.until, 1), firstDate].toSorted().at(-1) ?? firstDate;
  const counted = await listNightOutcomes(database, { firstDate: from, lastDate: addDays(date, 1) });
  const all = [...known, ...counted];
  if (kept.until < settled) {
    const at = clock.now();
    const value: Kept = { until: settled, nights: all.filter(({ night }) => night <= settled) };
    await saveKeptFigure(database, { name, value, countedAt: at, dueAt: at });
  }
  return all;
}
