import { minuteWords } from '../count-words.ts';
import { AppError } from '../errors.ts';
import {
  drainNight,
  type OwnedJob,
  pauseNight,
  type QueueView,
  resumeNight,
  viewQueue,
} from '../flows/nights/switch-night.ts';
import type { Resources } from '../resources.ts';
import { commandActor } from './actor.ts';
import { askYes } from './ask.ts';
import { type Command, json, limitOf, type Options, printAnswer, printTable, text } from './command.ts';
import { openFromEnvironment } from './open-resources.ts';
import type { Column } from './table.ts';

const acts = ['pause', 'resume', 'drain'] as const;

/** Shows the queue; pauses the night, lets it go on or ends it early. */
export const queueCommand: Command = {
  usage: '[--pause | --resume | --drain] [--reason WORDS] [--yes] [--limit N] [--json]',
  summary: 'show the queue; pause the night, resume it, or end it early',
  options: {
    pause: { help: 'stop workers from starting runs; runs in progress continue' },
    resume: { help: 'let workers start runs again, whoever paused the queue' },
    drain: { help: 'end the night early: waiting runs are skipped and come again next night' },
    reason: { value: 'WORDS', help: 'why, for the audit' },
    yes: { help: 'do not ask before --drain' },
    limit: { value: 'N', help: 'at most so many jobs (default: 100)' },
    ...json,
  },
  run: async (options, output) => {
    const [act, other] = acts.filter((one) => options[one] === true);
    if (other !== undefined) throw new AppError('usage/invalid', `--${act} and --${other} do not go together.`);
    const most = limitOf(options);
    await using resources = await openFromEnvironment();
    const question = 'Skip every run of this night that waits? (yes/no) ';
    if (act === 'drain' && options.yes !== true && !(await askYes(question, 'Confirm with --yes.'))) return 1;
    if (act !== undefined) await perform(resources, act, options);
    const view = await viewQueue(resources, { limit: most });
    printAnswer(output, options, view, ...wordsOf(view));
    if (options.json !== true && view.jobs.length > 0)
      printTable(output, options, { rows: view.jobs, columns, none: '' });
    return 0;
  },
};

async function perform(resources: Resources, act: (typeof acts)[number], options: Options): Promise<void> {
  const asked = { by: commandActor(), words: text(options, 'reason') };
  if (act === 'pause') await pauseNight(resources, asked);
  else if (act === 'resume') await resumeNight(resources, asked);
  else await drainNight(resources, asked);
}

function wordsOf({ kind, counts, paused, by }: QueueView): string[] {
  const who = by && [by.by.kind, by.by.name ?? by.by.id].filter((word) => word !== null).join(' ');
  const state = !paused
    ? 'It gives out runs.'
    : by === null
      ? 'It is paused, but not by Nightkeep. Resume it with --resume.'
      : `It is paused by ${who} since ${minuteWords(by.at)}${by.reason === null ? '' : `: ${by.reason}`}.`;
  return [
    `The queue lives in ${kind === 'redis' ? 'Redis' : 'PostgreSQL'}. ${state}`,
    `Waiting ${counts.waiting}, in hand ${counts.active}, delayed ${counts.delayed}.`,
  ];
}

const columns: readonly Column<OwnedJob>[] = [
  { name: 'STATE', of: ({ state }) => state },
  { name: 'QUEUED', of: ({ queuedAt }) => minuteWords(queuedAt) },
  { name: 'USER', of: ({ user }) => user?.name ?? '', stretches: true },
  { name: 'NIGHT', of: ({ night }) => night ?? '' },
  { name: 'TRIES', of: ({ tries }) => String(tries ?? '') },
  { name: 'JOB', of: ({ id }) => id, stretches: true },
];
