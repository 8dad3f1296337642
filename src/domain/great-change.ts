/** Of fewer entries than these many may go or change in a night without anything being wrong. */
const leastEntries = 20;

/** A folder that is moved or tidied up touches less than this part of all entries; a lost share or ransomware more. */
const greatShare = 0.5;

/** Files of the snapshot before, and what became of them. */
export interface EntryChanges {
  before: number;
  /** Not there any more. */
  gone: number;
  /** There, with another content. */
  changed: number;
}

/**
 * Whether somebody should look at what a night lost or changed before anything older is forgotten: half of
 * 20 entries or more. A night that wrote nothing wrong may still be the first after a share was not mounted, after
 * an account was mixed up, or after files were encrypted by somebody else.
 */
export function greatChangeOf({ before, gone, changed }: EntryChanges): 'loss' | 'change' | undefined {
  if (before < leastEntries || gone + changed < before * greatShare) return undefined;
  return gone >= changed ? 'loss' : 'change';
}
