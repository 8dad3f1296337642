import type { Protection } from '../../domain/protection.ts';
import { listProtections } from '../../flows/nights/find-protection.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';
import { countWords, someOf } from '../words.ts';

const name = 'protection';

export const protection: Check = {
  name,
  run: async ({ clock, records }) => {
    const people = await listProtections({ clock, database: await records() });
    return checkProtection(people.map((person) => person.protection));
  },
};

/** Whether people's data is protected, by the verdict that they themselves read. */
export function checkProtection(all: readonly Pick<Protection, 'verdict' | 'reason' | 'by'>[]): Finding {
  if (all.length === 0) return ok(name, 'There is nobody to protect yet.');
  const ill = all.filter(({ reason }) => !['complete', 'run_under_way', 'run_waits'].includes(reason));
  const verdicts = countBy(all, ({ verdict }) => verdict);
  const story = `Of ${countWords(all.length, 'person', 'people')}: ${verdicts.join(', ')}`;
  if (ill.length === 0) return ok(name, `${story}.`);
  const reasons = someOf(countBy(ill, ({ reason }) => reason));
  const yours = ill.filter(({ by }) => by === 'operator').length;
  return warn(
    name,
    `${story} (${reasons}).`,
    `${yours === 0 ? 'None of it waits for you' : `You can mend it for ${yours}`}. See whom and why: nightkeep protection`,
  );
}

function countBy<Item>(items: readonly Item[], word: (item: Item) => string): string[] {
  return [...Map.groupBy(items, word)].map(([key, members]) => `${members.length} ${key}`);
}
