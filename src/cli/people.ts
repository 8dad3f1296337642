import { findUsersByName } from '../database/command-views.ts';
import { listRepositoryOwners } from '../database/retention.ts';
import { AppError } from '../errors.ts';
import type { Resources } from '../resources.ts';
import { type Options, text } from './command.ts';

/** What --user gives: a user name, subject or id. Throws `usage/invalid` where it is missing. */
export function givenName(options: Options): string {
  const name = text(options, 'user');
  if (name === undefined) throw new AppError('usage/invalid', 'Say whose with --user NAME.');
  return name;
}

/** The one person of that user name, subject or id; throws with the cure. */
export async function getUserByName({ database }: Pick<Resources, 'database'>, name: string) {
  const [user, second] = await findUsersByName(database, name);
  if (user === undefined)
    throw new AppError('request/not-found', `Nobody here is called "${name}". They must have signed in once.`);
  if (second !== undefined)
    throw new AppError(
      'request/invalid',
      `Several people are called "${name}". Use the subject that the provider gives them.`,
    );
  return user;
}

/** Options of a command about one person's repository, or everybody's. */
export const oneOrAll = {
  user: { value: 'NAME', help: 'of this person: a user name, subject or id' },
  all: { help: 'of everybody who has a repository' },
};

/** The owners of the repositories that `--user` or `--all` gives. */
export async function ownersOf({ database }: Pick<Resources, 'database'>, options: Options) {
  return options.all === true
    ? listRepositoryOwners(database)
    : [await getUserByName({ database }, givenName(options))];
}

/** Throws `usage/invalid` unless either --user or --all is given. */
export function refuseUnlessOneOrAll(options: Options): void {
  if ((text(options, 'user') === undefined) === (options.all !== true))
    throw new AppError('usage/invalid', 'Say either --user NAME or --all.');
}

/** What an operator calls a person. */
export function nameOf({ username, subject }: { username: string | null; subject: string }): string {
  return username ?? subject;
}
