import { countWords, minuteWords } from '../count-words.ts';
import { openPeopleCount, pausedApart } from '../domain/people-tally.ts';
import { hourMs, minuteMs } from '../durations.ts';
import { isOldFigure } from '../flows/nights/keep-figure.ts';
import { type Status, viewStatus } from '../flows/nights/view-status.ts';
import { type Command, json, printAnswer } from './command.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';

/** The figures of the whole installation, as `/status.json` answers them. */
export const status: Command = {
  usage: '[--json]',
  summary: 'the last complete backup, and counts of people, consents and runs',
  options: json,
  run: async (options, output) => {
    await using resources = await openRepositoriesFromEnvironment();
    const answer = await viewStatus({ ...resources, peopleCount: openPeopleCount() });
    printAnswer(output, options, answer, ...statusWords(answer));
    return 0;
  },
};

/** The figures as words, a line for each. */
export function statusWords({
  lastSuccessAt,
  oldestDueAt,
  people,
  paused,
  lateUnderWay,
  peopleAt,
  grants,
  rotationsLost,
  runs,
  openCircuits,
  verification,
  forecast,
  operatorsTold,
  at,
}: Status): string[] {
  const { queued, running, ...ended } = runs;
  const { paused: withOlder, ...told } = pausedApart({ verdicts: people, paused });
  const late = lateUnderWay === 0 ? told.late : `${told.late} (${lateUnderWay} with a backup under way)`;
  const minutes = oldestDueAt === null ? 0 : Math.round((at.getTime() - oldestDueAt.getTime()) / minuteMs);
  return [
    `Last complete backup  ${lastSuccessAt === null ? 'none yet' : minuteWords(lastSuccessAt)}`,
    `Verified              ${verifiedWords(verification)}`,
    `People                ${counted({ ...told, late })}${withOlder === 0 ? '' : `, paused with an older backup ${withOlder}`}${isOldFigure(peopleAt, at) ? ` (as of ${minuteWords(peopleAt)})` : ''}`,
    `Consents              ${counted(grants)}${rotationsLost === 0 ? '' : `; ${countWords(rotationsLost, 'token')} lost by Nightkeep`}`,
    `Runs now              queued ${queued}, running ${running}${oldestDueAt === null ? '' : `; the oldest waits for ${countWords(minutes, 'minute')}`}`,
    `Runs in a day         ${counted(ended)}`,
    `Circuits              ${openCircuits.length === 0 ? 'none is open' : `open: ${openCircuits.join(', ')}`}`,
    ...(forecast === null ? [] : [`Busiest hours to come ${forecastWords(forecast)}`]),
    `Operators told        ${operatorsTold === null ? 'of nothing yet' : `last ${minuteWords(operatorsTold.at)}, by ${operatorsTold.by}`}`,
  ];
}

function forecastWords({ from, to, plans, neededMs, windowMs, by }: NonNullable<Status['forecast']>): string {
  const hours = (ms: number) => (ms / hourMs).toFixed(1);
  return `${minuteWords(from)} to ${minuteWords(to)}, ${countWords(plans, 'backup')} (nights still paused then not counted): ${hours(neededMs)} h needed by ${by === 'provider' ? 'the provider' : 'the workers'}, ${hours(windowMs)} h there`;
}

function verifiedWords({ oldestAt, damaged, gone, unverified, pending }: Status['verification']): string {
  const since =
    oldestAt === null
      ? 'nobody yet'
      : `${pending === 0 ? "everybody's" : 'those of others'} since ${minuteWords(oldestAt)}`;
  return [
    ...(pending > 0 && oldestAt !== null ? [`not yet ${pending}`] : []),
    since,
    ...(damaged > 0 ? [`damaged ${damaged}`] : []),
    ...(gone > 0 ? [`gone ${gone}`] : []),
    ...(unverified > 0 ? [`overdue ${unverified}`] : []),
  ].join('; ');
}

function counted(counts: Record<string, number | string>): string {
  return Object.entries(counts)
    .map(([word, count]) => `${word} ${count}`)
    .join(', ');
}
