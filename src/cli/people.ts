import { findUsersByName } from '../database/nights/command-views.ts';
import { eachRepositoryPlace } from '../database/repositories/repository-moves.ts';
import { AppError } from '../errors.ts';
import { findBrokenRows, wordsOfBroken } from '../flows/keys/broken-rows.ts';
import { requireWholeRows } from '../flows/keys/require-whole-rows.ts';
import type { Resources } from '../resources.ts';
import { type Options, text, warn } from './command.ts';

/** What --user gives: a user name, subject or id. Throws `usage/invalid` where it is missing. */
export function givenName(options: Options): string {
  const name = text(options, 'user');
  if (name === undefined) throw new AppError('usage/invalid', 'Say whose with --user NAME.');
  return name;
}

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'log' | 'store'>;

/** What a command has a person for: it changes, sends or gives out something of theirs, or only shows how things stand. */
export type Use = 'acting' | 'looking';

/**
 * The one person of that user name, subject or id; throws with the cure. Where rows of theirs are not as Nightkeep left them, the name may be that of
 * somebody else: a command that acts throws `seal/broken` or, where older ones were put back, `seal/replayed`; one that looks says so on standard error.
 */
export async function getUserByName(needs: Needs, name: string, use: Use) {
  const user = await getUserNamed(needs, name);
  if (use === 'acting') await requireWholeRows(needs, user.id);
  else {
    const broken = await findBrokenRows(needs, user.id);
    if (broken.length > 0) warn(wordsOfBroken(user.id, broken));
  }
  return user;
}

async function getUserNamed({ database }: Needs, name: string) {
  const [user, second] = await findUsersByName(database, name);
  if (user === undefined)
    throw new AppError(
      'request/not-found',
      `Nobody here is called "${name}". They must have signed in once. See: nightkeep users`,
    );
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

interface Owner {
  readonly id: string;
  readonly username: string | null;
  readonly subject: string;
}

/**
 * The owners of the repositories that `--user` or `--all` gives, with `--all` of those that are not to be erased. A command that acts calls
 * `requireWholeRows` for each of everybody.
 */
export async function* ownersOf(needs: Needs, options: Options, use: Use): AsyncGenerator<Owner> {
  if (options.all !== true) yield await getUserByName(needs, givenName(options), use);
  else
    for await (const places of eachRepositoryPlace(needs.database))
      for (const { userId: id, username, subject, eraseAt } of places)
        if (eraseAt === null) yield { id, username, subject };
}

/** Throws `usage/invalid` unless either --user or --all is given. */
export function refuseUnlessOneOrAll(options: Options): void {
  if ((text(options, 'user') === undefined) === (options.all !== true))
    throw new AppError('usage/invalid', 'Say either --user NAME or --all.');
}

/** How a consent stands, and why where that is more than the state says. */
export function consentWords({ state, reason }: { state: string | null; reason: string | null }): string {
  return `${state ?? 'none'}${reason === null || reason === state ? '' : ` (${reason})`}`;
}

/** What an operator calls a person. */
export function nameOf({ username, subject }: { username: string | null; subject: string }): string {
  return username ?? subject;
}
