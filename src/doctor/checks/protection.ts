import type { Protection } from '../../domain/protection.ts';
import { eachProtection } from '../../flows/nights/find-protection.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';
import { countWords, someOf } from '../words.ts';

const name = 'protection';

export const protection: Check = {
  name,
  run: async ({ clock, records }) => {
    const all: Judged[] = [];
    // Of many people few differ in this.
    const known = new Map<string, Judged>();
    for await (const people of eachProtection({ clock, database: await records() }))
      for (const { protection: one } of people) {
        const key = `${one.verdict} ${one.reason} ${one.by}`;
        const same = known.get(key) ?? { verdict: one.verdict, reason: one.reason, by: one.by };
        known.set(key, same);
        all.push(same);
      }
    return checkProtection(all);
  },
};

type Judged = Pick<Protection, 'verdict' | 'reason' | 'by'>;

/** Whether people's data is protected, by the verdict that they themselves read. */
export function checkProtection(all: readonly Judged[]): Finding {
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
