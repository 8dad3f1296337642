import { countWords, minuteWords } from '../../count-words.ts';
import { lateUnderWayOf, openPeopleCount, type PeopleTally, pausedApart, pausedOf } from '../../domain/people-tally.ts';
import { isOldFigure } from '../../flows/nights/keep-figure.ts';
import { tallyPeople } from '../../flows/nights/tally-people.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';
import { someOf } from '../words.ts';

const name = 'protection';
const inOrder = [
  ['protected', 'protected'],
  ['partly', 'partly'],
  ['late', 'late'],
  ['paused', 'paused with an older backup'],
  ['not', 'not'],
] as const;

export const protection: Check = {
  name,
  run: async ({ clock, records }) => {
    const { tally, at } = await tallyPeople({ clock, database: await records(), peopleCount: openPeopleCount() });
    return checkProtection(tally, isOldFigure(at, clock.now()) ? at : undefined);
  },
};

/** Whether people's data is protected, by the verdict that they themselves read; `countedAt` where that was long ago. */
export function checkProtection(
  { judged, menders, verdicts }: Omit<PeopleTally, 'repositories'>,
  countedAt?: Date,
): Finding {
  const all = Object.values(verdicts).reduce((sum, people) => sum + people, 0);
  if (all === 0) return ok(name, 'There is nobody to protect yet.');
  const reasons = new Map<string, number>();
  for (const [key, people] of Object.entries(judged)) {
    const [, reason = ''] = key.split(' ');
    if (!['complete', 'run_under_way', 'run_waits'].includes(reason))
      reasons.set(reason, (reasons.get(reason) ?? 0) + people);
  }
  const figures = pausedApart({ verdicts, paused: pausedOf({ judged }) });
  const lateUnderWay = lateUnderWayOf({ judged });
  const counts = inOrder.map(([which, word]) => {
    const apart = which === 'late' && lateUnderWay > 0 ? ` (${lateUnderWay} with a backup under way)` : '';
    return [`${word}${apart}`, figures[which]] as const;
  });
  const asOf = countedAt === undefined ? '' : `As of ${minuteWords(countedAt)}: `;
  const story = `${asOf}${countedAt === undefined ? 'Of' : 'of'} ${countWords(all, 'person', 'people')}: ${wordsOf(counts).join(', ')}`;
  if (reasons.size === 0) return ok(name, `${story}.`);
  const yours = menders.operator;
  return warn(
    name,
    `${story} (${someOf(wordsOf([...reasons].toSorted(([one, most], [other, fewer]) => fewer - most || (one < other ? -1 : 1))))}).`,
    `${yours === 0 ? 'None of it waits for you' : `You can mend it for ${yours}`}. See whom and why: nightkeep protection`,
  );
}

function wordsOf(counts: readonly (readonly [string, number])[]): string[] {
  return counts.flatMap(([word, people]) => (people === 0 ? [] : [`${people} ${word}`]));
}
