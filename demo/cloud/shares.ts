import type { Clock } from '../../src/clock.ts';
import { type CloudTree, openTree } from './tree.ts';

/** What a person has in the cloud: files, calendars with their events, and address books with their contacts. Each is a tree of its own. */
export const shareNames = ['files', 'calendars', 'contacts'] as const;

export type ShareName = (typeof shareNames)[number];

export type Shares = Readonly<Record<ShareName, CloudTree>>;

export function openShares(clock: Clock): Shares {
  return { files: openTree(clock), calendars: openTree(clock), contacts: openTree(clock) };
}
