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
