import { countWords, minuteWords } from '../count-words.ts';
import { findGrantOfPerson } from '../database/consent/grant-views.ts';
import { eachGrant, forecastUnusedEnds, type GrantRow } from '../database/custody/deadlines.ts';
import type { Protection } from '../domain/protection.ts';
import { dayMs } from '../durations.ts';
import { AppError } from '../errors.ts';
import { askAgain } from '../flows/custody/ask-again.ts';
import { listProtectionsOf } from '../flows/nights/find-protection.ts';
import type { RepositoryResources } from '../repository-resources.ts';
import { commandActor } from './actor.ts';
import { type Command, json, type Options, type Output, oneOf, printAnswer, printPages, text } from './command.ts';
import { openFromEnvironment, openRepositoriesFromEnvironment } from './open-resources.ts';
import { consentWords, getUserByName, givenName, nameOf } from './people.ts';
import type { Column } from './table.ts';

const states = ['active', 'suspect', 'needs_consent', 'withdrawn'] as const;

/** Lists grants with their deadlines, forecasts how many end if nothing is exchanged, or asks again for one that was refused. */
export const grants: Command = {
  usage: '[--expiring 14d | --forecast 30d | --ask-again --user NAME] [--state STATE] [--json]',
  summary: 'list grants and their deadlines',
  options: {
    expiring: { value: '14d', help: 'only those that end within so many days unless they are used' },
    state: { value: 'STATE', help: `only those in this state: ${states.join(', ')} (default: all but withdrawn)` },
    forecast: { value: '30d', help: 'how many will have ended on each of so many days if nothing is exchanged' },
    'ask-again': { help: 'ask the provider at once for the grant of --user, which it refused before' },
    user: { value: 'NAME', help: 'whose grant --ask-again is about: a user name, subject or id' },
    ...json,
  },
  run: async (options, output) => {
    refuseMixture(options);
    const [expiring, forecast] = [days(options, 'expiring'), days(options, 'forecast')];
    const state = oneOf(options, 'state', states);
    if (options['ask-again'] === true) return await ask(options, output);
    await using resources = await openRepositoriesFromEnvironment();
    if (forecast !== undefined) return await tellForecast(resources, forecast, options, output);
    const now = resources.clock.now().getTime();
    const endingBefore = expiring === undefined ? undefined : new Date(now + expiring * dayMs);
    await printPages(output, options, {
      pages: rowsOf(resources, { state, endingBefore }),
      columns,
      none: 'None.',
    });
    return 0;
  },
};

/** Each of these answers something else, and takes only what belongs to it. */
function refuseMixture(options: Options): void {
  const given = (names: readonly string[]) => names.filter((name) => options[name] !== undefined);
  const [one, other] = [...given(['forecast', 'ask-again']), ...given(['expiring', 'state'])];
  if (other !== undefined && (one === 'forecast' || one === 'ask-again'))
    throw new AppError('usage/invalid', `--${one} and --${other} do not go together.`);
  if (options['ask-again'] === true && options.user === undefined)
    throw new AppError('usage/invalid', 'Say whose grant to ask for with --user NAME.');
  if (options['ask-again'] !== true && options.user !== undefined)
    throw new AppError('usage/invalid', '--user goes with --ask-again only.');
}

async function ask(options: Options, output: Output): Promise<number> {
  await using resources = await openFromEnvironment();
  const user = await getUserByName(resources, givenName(options), 'acting');
  const grant = await findGrantOfPerson(resources.database, { userId: user.id });
  if (grant === null) throw new AppError('request/not-found', 'This person has given no consent yet.');
  if (!(await askAgain(resources, { grantId: grant.id, by: commandActor() })))
    throw new AppError(
      'grant/busy',
      'Somebody is asking the provider with this consent already. Look again in a minute.',
    );
  const answer = { user: nameOf(user), grantId: grant.id, state: 'active' };
  printAnswer(output, options, answer, 'The provider accepts the consent again.');
  return 0;
}

async function tellForecast(
  resources: RepositoryResources,
  ahead: number,
  options: Options,
  output: Output,
): Promise<number> {
  const { living, forecast } = await forecastUnusedEnds(resources.database, { at: resources.clock.now(), days: ahead });
  const words = [
    `If nothing is exchanged from now, so many of ${countWords(living, 'grant')} will have died`,
    ...forecast.map(({ day, dead }) => `  by day ${String(day).padStart(3)}  ${dead}`),
  ];
  printAnswer(output, options, { living, forecast }, ...words);
  return 0;
}

async function* rowsOf(
  resources: RepositoryResources,
  filter: Parameters<typeof eachGrant>[1],
): AsyncGenerator<readonly Row[]> {
  for await (const grants of eachGrant(resources.database, filter)) {
    const judged = await listProtectionsOf(
      resources,
      grants.map(({ user }) => user.id),
    );
    const people = new Map(judged.map((one) => [one.userId, one.protection]));
    yield grants.map((row) => ({ ...shown(row), protection: protectionOf(people.get(row.user.id)) }));
  }
}

function shown({ user, ...row }: GrantRow) {
  return { user: nameOf(user), ...row };
}

type Row = ReturnType<typeof shown> & { protection: ReturnType<typeof protectionOf> };

/** The part of the person's verdict that says whether there is something to do; none after a withdrawal. */
function protectionOf(protection: Protection | undefined) {
  return protection && { verdict: protection.verdict, reason: protection.reason, by: protection.by };
}

const columns: readonly Column<Row>[] = [
  { name: 'USER', of: ({ user }) => user, stretches: true },
  { name: 'CONSENT', of: consentWords, stretches: true },
  { name: 'DATA', of: ({ protection }) => protection?.verdict ?? '' },
  { name: 'ENDS UNUSED', of: ({ idleDeadline }) => minuteWords(idleDeadline) },
  { name: 'ENDS ANYWAY', of: ({ maxDeadline }) => (maxDeadline === null ? '' : minuteWords(maxDeadline)) },
];

function days(options: Options, name: string): number | undefined {
  const value = text(options, name);
  if (value === undefined) return undefined;
  const [, count] = /^(\d{1,4})d?$/.exec(value) ?? [];
  if (count === undefined)
    throw new AppError('usage/invalid', `--${name} is "${value}": write it as 14d, at most 9999d.`);
  return Number(count);
}
