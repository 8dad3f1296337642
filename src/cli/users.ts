import { minuteWords } from '../count-words.ts';
import { listPeople, type PersonRow } from '../database/people/people.ts';
import { type Command, json, limitOf, oneOf, printTable, shownOf, text } from './command.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { consentWords, nameOf } from './people.ts';
import type { Column } from './table.ts';

const states = ['active', 'suspect', 'needs_consent', 'withdrawn', 'none'] as const;

/** Lists people with the state of their consent, in the order of their names. */
export const users: Command = {
  usage: '[--user NAME] [--state STATE] [--limit N] [--json]',
  summary: 'list people and the state of their consent',
  options: {
    user: { value: 'NAME', help: 'only those with this part in their user name, name or subject, or with this id' },
    state: { value: 'STATE', help: `only those whose newest consent is: ${states.join(', ')}` },
    limit: { value: 'N', help: 'at most so many (default: 100)' },
    ...json,
  },
  run: async (options, output) => {
    const [state, most] = [oneOf(options, 'state', states), limitOf(options)];
    await using resources = await openRepositoriesFromEnvironment();
    const found = await listPeople(resources.database, { search: text(options, 'user'), state, limit: most + 1 });
    printTable(output, options, { rows: shownOf(found, most), columns, none: 'None.' });
    return 0;
  },
};

const columns: readonly Column<PersonRow>[] = [
  { name: 'USER', of: nameOf, stretches: true },
  { name: 'NAME', of: ({ name }) => name ?? '', stretches: true },
  { name: 'CONSENT', of: consentWords },
  { name: 'SIGNED IN', of: ({ lastSignedInAt }) => (lastSignedInAt === null ? '' : minuteWords(lastSignedInAt)) },
  { name: 'ID', of: ({ id }) => id, stretches: true },
];
