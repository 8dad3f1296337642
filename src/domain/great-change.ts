/** Of fewer entries than these many half may go or change in a night without anything being wrong. */
const leastEntries = 20;

/** A folder that is moved or tidied up touches less than this part of all entries; a lost share or ransomware more. */
const greatShare = 0.5;

/** Entries of the snapshot before, and what became of them. What Nightkeep keeps of a calendar or mailbox besides is none. */
export interface EntryChanges {
  readonly before: number;
  /** Not where they were any more, and their content nowhere else. */
  readonly gone: number;
  /** There with another content, and the former one nowhere else. */
  readonly changed: number;
}

/** Whether folders that are gone as a whole held so many entries together that somebody should look, however much else there is. */
export function isGreatLoss(entries: number): boolean {
  return entries >= leastEntries;
}

/**
 * Whether somebody should look at what a night lost or changed before anything older is forgotten: half of
 * 20 entries or more, or all that there were, however few, are gone. A night that wrote nothing wrong may still be the first after a share
 * was not mounted, after an account was mixed up, or after files were encrypted by somebody else.
 */
export function greatChangeOf({ before, gone, changed }: EntryChanges): 'loss' | 'change' | undefined {
  if (before > 0 && gone === before) return 'loss';
  if (before < leastEntries || gone + changed < before * greatShare) return undefined;
  return gone >= changed ? 'loss' : 'change';
}
