import type { CountName } from '../flows/nights/back-up.ts';

/** The counts of a run as they are kept; what is no number is left out. */
export function numbersIn(counts: unknown): Partial<Readonly<Record<CountName, number>>> {
  if (typeof counts !== 'object' || counts === null) return {};
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => typeof value === 'number'));
}
