import { minuteWords } from '../count-words.ts';
import { confirmAlarms } from '../database/notices/protection.ts';
import { doubtedSince, type Protection } from '../domain/protection.ts';
import { AppError } from '../errors.ts';
import { eachProtectionByName, findProtection } from '../flows/nights/find-protection.ts';
import type { RepositoryResources } from '../repository-resources.ts';
import { commandActor } from './actor.ts';
import { type Command, json, type Options, type Output, printAnswer, printPages, text } from './command.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName, nameOf } from './people.ts';
import type { Column } from './table.ts';

/** Shows whose data is protected, and who can mend what is not; --looked lets go of what is held for a great loss or change. */
export const protection: Command = {
  usage: '[--user NAME [--looked]] [--json]',
  summary: 'list whose data is protected, and who can fix what is not',
  options: {
    user: { value: 'NAME', help: 'only this person: a user name, subject or id' },
    looked: { help: 'record that the great losses and changes of --user were looked at and are right' },
    ...json,
  },
  run: async (options, output) => {
    if (options.looked === true && text(options, 'user') === undefined)
      throw new AppError('usage/invalid', 'Say whose losses and changes were looked at with --user NAME.');
    await using resources = await openRepositoriesFromEnvironment();
    if (text(options, 'user') !== undefined) return await tellOne(resources, options, output);
    await printPages(output, options, {
      pages: rowsOf(resources),
      columns,
      none: 'Nobody has a consent here that was not withdrawn.',
    });
    return 0;
  },
};

async function* rowsOf(resources: RepositoryResources): AsyncGenerator<readonly Row[]> {
  for await (const people of eachProtectionByName(resources))
    yield people.map(({ protection, ...user }) => rowOf(user, protection));
}

async function tellOne(resources: RepositoryResources, options: Options, output: Output): Promise<number> {
  const { clock, database } = resources;
  const user = await getUserByName(resources, givenName(options), options.looked === true ? 'acting' : 'looking');
  const at = clock.now();
  if (options.looked === true) await confirmAlarms(database, { userId: user.id, until: at, at, by: commandActor() });
  const row = rowOf(user, await findProtection(resources, user.id));
  printAnswer(output, options, row, sentenceOf(row));
  return 0;
}

function rowOf(user: { username: string | null; subject: string }, protection: Protection) {
  return { user: nameOf(user), ...protection, doubtedSince: doubtedSince(protection) };
}

type Row = ReturnType<typeof rowOf>;

const columns: readonly Column<Row>[] = [
  { name: 'USER', of: ({ user }) => user, stretches: true },
  { name: 'DATA', of: ({ verdict }) => verdict },
  { name: 'REASON', of: ({ reason }) => reason, stretches: true },
  { name: 'MENDED BY', of: ({ by, reason }) => (by !== 'nobody' ? by : reason === 'complete' ? '' : 'itself') },
  { name: 'COMPLETE AS OF', of: lastOf },
];

/** As of when there is a complete snapshot of their data that nobody need doubt. */
function lastOf({ doubtedSince: doubted, since }: Row): string {
  if (doubted !== null) return `in doubt since ${minuteWords(doubted)}`;
  return since === null ? 'never' : minuteWords(since);
}

/** What is known of one person, in a sentence. */
function sentenceOf(row: Row): string {
  const { user, verdict, reason, by, until, retry, pausedSince, since, doubtedSince: doubted } = row;
  const paused = pausedSince === null ? '' : ` at least since ${minuteWords(pausedSince)}`;
  const waits = until === null ? '' : ` until ${minuteWords(until)}`;
  const who = by === 'nobody' ? (reason === 'complete' ? '' : `; nobody need act${waits}`) : `; the ${by} can fix it`;
  const again =
    retry === null ? '' : `; a run is tried again at ${minuteWords(retry.at)}, until ${minuteWords(retry.until)}`;
  const last = since === null ? 'never complete' : `${doubted === null ? 'complete as of ' : ''}${lastOf(row)}`;
  return `${user}: ${verdict}, ${reason}${paused}${who}${again}; ${last}`;
}
