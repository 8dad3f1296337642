import type { TreeId } from '../format/ids.ts';
import type { SnapshotSummary } from '../format/snapshot.ts';

/** What a run counts, named as in the summary of a snapshot. */
export type Counts = { -readonly [Name in Exclude<keyof SnapshotSummary, `backup_${string}`>]: number };

/** How an entry compares with the parent snapshot. */
export type Change = 'new' | 'changed' | 'unmodified';

/** How the files of the sources came into the snapshot, and what was seen of the sources besides. */
export interface Seen {
  /** Read whole. */
  read: number;
  /** Of these: by an archive that was interrupted, so that this one did not read them again. */
  resumed: number;
  /** Not read, since the source says that they are as they were in the parent. */
  unchanged: number;
  /** Of the unchanged: read again all the same, and found to be so. */
  checked: number;
  /** Of the unchanged: to be read again, but the source did not give them just then. */
  unchecked: number;
  /** Of the checked: restored to nothing, so that what the source has was compared with what the store holds. */
  restored: number;
  /** Not read, since that failed; the parent's copies stand in. */
  kept: number;
  /** In the parent and not in the snapshot any more. */
  gone: number;
  /** Folders below the roots that were listed, or that the source says are unchanged. */
  folders: number;
  /** Of these: not listed, since the source says that nothing below them changed. */
  passedOver: number;
  /** Content bytes that came, of entries that could not be read to their end as well. */
  bytes: number;
}

/** What became of the files that one root had in the parent. */
export interface RootChanges {
  readonly name: string;
  /** Files that it had. */
  readonly before: number;
  /** Of these: not where they were any more. */
  readonly gone: number;
  /** Of these: there, with another content. */
  readonly changed: number;
  /** Folders that it has now, with itself. */
  readonly folders: number;
  /** Of those that stand by themselves: the ones that are not there any more, or hold no folder and one file at most. */
  readonly emptied: readonly EmptiedFolder[];
}

/** A folder that held files in the parent, and of which nothing may be left. */
export interface EmptiedFolder {
  /** In its root. */
  readonly path: string;
  readonly before: TreeId;
  /** What it is now; absent where it is not there any more. */
  readonly after?: TreeId;
}

/** Counts before the first entry. */
export function zeroSeen(): Seen {
  return {
    read: 0,
    resumed: 0,
    unchanged: 0,
    checked: 0,
    unchecked: 0,
    restored: 0,
    kept: 0,
    gone: 0,
    folders: 0,
    passedOver: 0,
    bytes: 0,
  };
}

/** Counts before the first entry, by the names of restic's snapshot summary. */
export function zeroCounts(): Counts {
  return {
    files_new: 0,
    files_changed: 0,
    files_unmodified: 0,
    dirs_new: 0,
    dirs_changed: 0,
    dirs_unmodified: 0,
    data_blobs: 0,
    tree_blobs: 0,
    data_added: 0,
    data_added_packed: 0,
    total_files_processed: 0,
    total_bytes_processed: 0,
  };
}

/** Counts a file of this size as new, changed or unmodified. */
export function countFile(counts: Counts, change: Change, size: number): void {
  counts[`files_${change}`]++;
  counts.total_files_processed++;
  counts.total_bytes_processed += size;
}

/** Counts a folder as new, changed or unmodified. */
export function countDir(counts: Counts, change: Change): void {
  counts[`dirs_${change}`]++;
}

/** Counts a folder of the parent that stays as it is, with all that is below it. */
export function countKeptDir(
  counts: Counts,
  { files, dirs, bytes }: { files: number; dirs: number; bytes: number },
): void {
  counts.files_unmodified += files;
  counts.total_files_processed += files;
  counts.total_bytes_processed += bytes;
  counts.dirs_unmodified += dirs + 1;
}
