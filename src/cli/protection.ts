import { confirmAlarms } from '../database/protection.ts';
import type { Protection } from '../domain/protection.ts';
import { AppError } from '../errors.ts';
import { findProtection, listProtections } from '../flows/nights/find-protection.ts';
import type { Resources } from '../resources.ts';
import { commandActor } from './actor.ts';
import { type Command, json, type Options, type Output, printAnswer, printList, shownMinute, text } from './command.ts';
import { openFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName, nameOf } from './people.ts';

/** Tells whose data is protected and who can mend what is not; --looked lets go of what is held for a great loss or change. */
export const protection: Command = {
  usage: '[--user NAME [--looked]] [--json]',
  summary: 'whose data is protected, and who can mend what is not',
  options: {
    user: { value: 'NAME', help: 'only this person: a user name, subject or id' },
    looked: { help: 'record that the great losses and changes of --user were looked at and are right' },
    ...json,
  },
  run: async (options, output) => {
    if (options.looked === true && text(options, 'user') === undefined)
      throw new AppError('usage/invalid', 'Say whose losses and changes were looked at with --user NAME.');
    await using resources = await openFromEnvironment();
    if (text(options, 'user') !== undefined) return await tellOne(resources, options, output);
    const rows = (await listProtections(resources)).map(({ protection, ...user }) => rowOf(user, protection));
    printList(output, options, { rows, lineOf, none: 'Nobody has consented yet.' });
    return 0;
  },
};

async function tellOne(resources: Resources, options: Options, output: Output): Promise<number> {
  const { clock, database } = resources;
  const user = await getUserByName(resources, givenName(options));
  const at = clock.now();
  if (options.looked === true) await confirmAlarms(database, { userId: user.id, until: at, at, by: commandActor() });
  const row = rowOf(user, await findProtection(resources, user.id));
  printAnswer(output, options, row, lineOf(row));
  return 0;
}

function rowOf(user: { username: string | null; subject: string }, protection: Protection) {
  return { user: nameOf(user), ...protection };
}

function lineOf({ user, verdict, reason, by, until, retry, since }: ReturnType<typeof rowOf>): string {
  const waits = until === null ? '' : ` until ${shownMinute(until)}`;
  const who = by === 'nobody' ? (reason === 'complete' ? '' : `; nobody need act${waits}`) : `; the ${by} can mend it`;
  const again =
    retry === null ? '' : `; a run is tried again at ${shownMinute(retry.at)}, until ${shownMinute(retry.until)}`;
  const last = since === null ? 'never complete' : `complete as of ${shownMinute(since)}`;
  return `${user.padEnd(20)} ${verdict.padEnd(10)} ${reason}${who}${again}; ${last}`;
}
