/** What a finished run has counts of: entries, folders, files and requests by number, data in bytes, its time in milliseconds. */
export type CountName =
  | 'entries'
  | 'entriesRead'
  | 'entriesResumed'
  | 'entriesUnchanged'
  | 'entriesChecked'
  | 'entriesUnchecked'
  | 'entriesRestored'
  | 'entriesKept'
  | 'entriesGone'
  | 'foldersPassedOver'
  | 'filesNew'
  | 'filesChanged'
  | 'bytesRead'
  | 'dataAdded'
  | 'totalBytes'
  | 'requests'
  | 'ms';

/** The counts of a run; those that came to nothing may be absent. */
export type RunCounts = Readonly<Partial<Record<CountName, number>>>;

/** The counts in a row; what is no number there is left out. */
export function numbersIn<Name extends string = CountName>(counts: unknown): Readonly<Partial<Record<Name, number>>> {
  const numbers = Object.entries(Object(counts)).filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(numbers) as Partial<Record<Name, number>>;
}
