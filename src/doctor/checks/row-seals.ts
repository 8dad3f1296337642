import { findBrokenRows } from '../../flows/keys/broken-rows.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, wrong } from '../finding.ts';
import { countWords, someOf } from '../words.ts';

const name = 'row seals';

/** Whether the rows that say whose something is, and where tokens and snapshots go, are as Nightkeep left them. */
export const rowSeals: Check = {
  name,
  run: async ({ keyring, option, records }) => {
    const database = await records();
    if (option('keyring') === undefined) return unknown(name, 'Without the keyring nobody can tell.');
    const broken = await findBrokenRows({ database, keyring: keyring() });
    return checkRowSeals(broken.map(({ kind, userId }) => `${kind}: ${userId}`));
  },
};

/** Whether there are rows that are not: each as its kind and whose it says it is. */
export function checkRowSeals(broken: readonly string[]): Finding {
  if (broken.length === 0)
    return ok(
      name,
      'Nobody has changed whose something is, or where tokens and snapshots go, behind the back of Nightkeep.',
    );
  const rows = countWords(broken.length, 'row is', 'rows are');
  return wrong(
    name,
    `${rows} not as Nightkeep left ${broken.length === 1 ? 'it' : 'them'} (${someOf(broken)}): something else wrote to the database. The work for these people stops.`,
    'Find out who can write to the database. Then put the rows back from a backup, or, where what they say is right: nightkeep keys confirm --user ID.',
  );
}
