import { foldTallies, forgetTallies } from '../../database/records/tallies.ts';
import { dayMs, hourMs } from '../../durations.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database'>;

/** What is tallied of earlier changes seldom: folded with the records that go then. */
const recentMs = 2 * hourMs;
/** No figure looks back further than 30 nights. */
const keptMs = 60 * dayMs;

/** Merges the rows that recent changes have added to the tallies. */
export async function foldRecentTallies({ clock, database }: Needs): Promise<void> {
  await foldTallies(database, { since: new Date(clock.now().getTime() - recentMs) });
}

/** The same of all of them, without what no figure looks back to. */
export async function foldAllTallies({ clock, database }: Needs): Promise<void> {
  const before = new Date(clock.now().getTime() - keptMs);
  await forgetTallies(database, { before });
  await foldTallies(database, { since: before });
}
