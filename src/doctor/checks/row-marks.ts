import { countWords } from '../../count-words.ts';
import { listReplayedOnRecord } from '../../database/nights/inspect-runs.ts';
import { dayMs } from '../../durations.ts';
import { findReplayedRows, type Replayed } from '../../flows/keys/replayed-rows.ts';
import { silentLog } from '../../log.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, wrong } from '../finding.ts';
import { someOf } from '../words.ts';

const name = 'row marks';
/** Of more people only those are looked at whose nights said so lately: each costs a request to the store. */
const most = 1_000;
const sinceMs = 3 * dayMs;

/** Whether rows are as new as the marks in the store say that they were. */
export const rowMarks: Check = {
  name,
  run: async ({ clock, keyring, option, records, store }) => {
    const database = await records();
    if (option('keyring') === undefined) return unknown(name, 'Without the keyring nobody can tell.');
    const since = new Date(clock.now().getTime() - sinceMs);
    const suspects = await listReplayedOnRecord(database, { since, most });
    const needs = { clock, database, keyring: keyring(), log: silentLog, store };
    return checkRowMarks(await Array.fromAsync(findReplayedRows(needs, suspects)));
  },
};

/** Whose rows are older than they were. */
export function checkRowMarks(replayed: readonly Replayed[]): Finding {
  if (replayed.length === 0)
    return ok(name, 'None of the rows that were checked is older than one that was used before.');
  return wrong(
    name,
    `The rows of ${countWords(replayed.length, 'person are', 'people are')} older than they were (${someOf(replayed.map(({ userId, older }) => `${userId}: ${older.join(', ')}`))}): somebody put them back, or the database from a backup. The work for these people stops.`,
    'If nobody restored the database from a backup, find out who can write to it, and put the newest rows back. If what they say is right: nightkeep keys confirm --user ID, or --all.',
  );
}
