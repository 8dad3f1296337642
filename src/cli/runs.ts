import { minuteWords } from '../count-words.ts';
import { listRunsForOperators } from '../database/people/people.ts';
import { type Command, json, limit, limitOf, oneOf, printTable, shownOf, sinceOf, text } from './command.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { getUserByName, nameOf } from './people.ts';
import type { Column } from './table.ts';

const states = ['queued', 'running', 'succeeded', 'partial', 'failed', 'skipped', 'cancelled'] as const;

/** Lists runs, newest first: outcome and cause, and no name of a file. */
export const runs: Command = {
  usage: '[--user NAME] [--state STATE] [--since 14d] [--limit N] [--json]',
  summary: 'list runs with their outcome and cause, the newest first',
  options: {
    user: { value: 'NAME', help: 'only those of this person: a user name, subject or id' },
    state: { value: 'STATE', help: `only these: ${states.join(', ')}` },
    since: { value: '14d', help: 'only those of the last days or hours (12h)' },
    ...limit,
    ...json,
  },
  run: async (options, output) => {
    const [state, most] = [oneOf(options, 'state', states), limitOf(options)];
    await using resources = await openRepositoriesFromEnvironment();
    const { clock, database } = resources;
    const since = sinceOf(options, clock.now());
    const name = text(options, 'user');
    const userId = name === undefined ? undefined : (await getUserByName(resources, name, 'looking')).id;
    const found = await listRunsForOperators(database, { userId, state, since, limit: most + 1 });
    const rows = shownOf(found, most).map(({ username, subject, ...run }) => ({
      user: nameOf({ username, subject }),
      ...run,
    }));
    printTable(output, options, { rows, columns, none: 'None.' });
    return 0;
  },
};

type Row = { user: string } & Omit<Awaited<ReturnType<typeof listRunsForOperators>>[number], 'username' | 'subject'>;

const columns: readonly Column<Row>[] = [
  { name: 'NIGHT', of: ({ night }) => night },
  { name: 'USER', of: ({ user }) => user, stretches: true },
  { name: 'STATE', of: ({ state }) => state },
  { name: 'CAUSE', of: ({ errorCode }) => errorCode ?? '', stretches: true },
  { name: 'NOT READ', of: ({ problemCount }) => (problemCount === 0 ? '' : problemCount), right: true },
  { name: 'STARTED', of: ({ startedAt }) => (startedAt === null ? '' : minuteWords(startedAt)) },
  { name: 'RUN', of: ({ id }) => id, stretches: true },
];
