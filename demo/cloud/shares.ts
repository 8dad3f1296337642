import type { Clock } from '../../src/clock.ts';
import type { HeldMailboxes } from '../mail/mailboxes.ts';
import { type CloudTree, openTree } from './tree.ts';

/** What a person has in the cloud: files, calendars with their events, and address books with their contacts. Each is a tree of its own. */
export const shareNames = ['files', 'calendars', 'contacts'] as const;

export type ShareName = (typeof shareNames)[number];

export type Shares = Readonly<Record<ShareName, CloudTree>>;

/** All that a person has in the cloud. */
export interface Belongings extends Shares {
  readonly mail: HeldMailboxes;
}

/** Nothing yet. */
export function openBelongings(clock: Clock): Belongings {
  return { files: openTree(clock), calendars: openTree(clock), contacts: openTree(clock), mail: new Map() };
}
