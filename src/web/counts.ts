import type { RunCounts } from '../domain/run-counts.ts';

/** The counts of a run as they are kept; what is no number is left out. */
export function numbersIn(counts: unknown): RunCounts {
  if (typeof counts !== 'object' || counts === null) return {};
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => typeof value === 'number'));
}
