import { countWords } from '../../count-words.ts';
import { sampleBrokenRows } from '../../flows/keys/broken-rows.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, wrong } from '../finding.ts';
import { someOf } from '../words.ts';

const name = 'row seals';
/** Of each kind. The work of a person begins with a look at all of theirs. */
const most = 10_000;

/** Whether the rows that say whose something is, where tokens and snapshots go, and when snapshots are removed, are as Nightkeep left them. */
export const rowSeals: Check = {
  name,
  run: async ({ keyring, option, records }) => {
    const database = await records();
    if (option('keyring') === undefined) return unknown(name, 'Without the keyring nobody can tell.');
    const { broken, ...looked } = await sampleBrokenRows({ database, keyring: keyring() }, { most });
    return checkRowSeals({ broken: broken.map(({ kind, userId }) => `${kind}: ${userId}`), ...looked });
  },
};

/** What was found among the rows that were looked at: each broken one by its kind and the person it names. */
export function checkRowSeals({
  broken,
  rows: looked,
  isAll,
}: {
  broken: readonly string[];
  rows: number;
  isAll: boolean;
}): Finding {
  const among = isAll ? '' : `Of ${countWords(looked, 'row that was', 'rows that were')} looked at, a random sample: `;
  const all = isAll ? '' : ' nightkeep keys confirm looks at all of them.';
  if (broken.length === 0)
    return ok(
      name,
      `${among}${isAll ? 'Nobody' : 'nobody'} has changed whose something is, where tokens and snapshots go, or when snapshots are removed, behind the back of Nightkeep.${all}`,
    );
  const rows = countWords(broken.length, 'row is', 'rows are');
  return wrong(
    name,
    `${among}${rows} not as Nightkeep left ${broken.length === 1 ? 'it' : 'them'} (${someOf(broken)}): something else wrote to the database. What these rows decide is not done.${all}`,
    'Find out who can write to the database. Then restore the rows from a backup, or, if what they say is right: nightkeep keys confirm --user ID.',
  );
}
