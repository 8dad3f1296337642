import { countWords } from '../count-words.ts';
import { type MovedPlan, moveFiles } from '../flows/files/move-files.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printPages, tell, text } from './command.ts';
import { openWithoutQueueFromEnvironment } from './open-resources.ts';
import { nameOf } from './people.ts';
import type { Column } from './table.ts';

/** Follows a WebDAV server to another address, so that people keep what they have. */
export const filesMove: Command = {
  usage: 'OLD NEW [--dry-run] [--json]',
  summary: 'fetch the same files, calendars, contacts or mail from their new address, and notify their people',
  options: { 'dry-run': { help: 'list whose these are, but change nothing and notify nobody' }, ...json },
  operands: {
    old: 'the address as it was, as nightkeep doctor names it',
    new: 'the address as FILES_URL, CALENDARS_URL, CONTACTS_URL or MAIL_URL is now',
  },
  exits: { 3: 'some people could not be moved; they are named' },
  run: async (options, output) => {
    const dryRun = options['dry-run'] === true;
    const counts = { moved: 0, left: 0 };
    await using resources = await openWithoutQueueFromEnvironment();
    const move = { from: text(options, 'old') ?? '', to: text(options, 'new') ?? '', dryRun, by: commandActor() };
    const pages = rowsOf(moveFiles(resources, move), counts);
    await printPages(output, options, { pages, columns, none: 'Nobody.' });
    const left =
      counts.left === 0
        ? ''
        : ` Not moved: ${countWords(counts.left, 'person', 'people')}, for the reason beside each.`;
    const done = dryRun ? 'Would be moved' : 'Moved';
    const told = dryRun
      ? 'Nothing was changed.'
      : `While their consent lasts, they read it on the home page.${resources.config.mail === undefined ? '' : ' Those who have an address and have not withdrawn are mailed.'}`;
    tell(options, `${done}: ${countWords(counts.moved, 'person', 'people')}.${left} ${told}`);
    return counts.left > 0 ? 3 : 0;
  },
};

async function* rowsOf(pages: AsyncIterable<readonly MovedPlan[]>, counts: { moved: number; left: number }) {
  for await (const page of pages) {
    for (const { problem } of page) counts[problem === undefined ? 'moved' : 'left'] += 1;
    yield page.map(({ username, subject, ...rest }) => ({ user: nameOf({ username, subject }), ...rest }));
  }
}

const columns: readonly Column<Omit<MovedPlan, 'username' | 'subject'> & { user: string }>[] = [
  { name: 'USER', of: ({ user }) => user },
  { name: 'FROM', of: ({ from }) => from ?? '', stretches: true },
  { name: 'TO', of: ({ to, problem }) => to ?? `not moved: ${problem}`, stretches: true },
];
