import { minuteWords } from '../count-words.ts';
import { listPeople, type PersonRow } from '../database/people/people.ts';
import { type Command, json, limitOf, printTable, shownOf, text } from './command.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { getUserByName, nameOf } from './people.ts';
import type { Column } from './table.ts';

/** Lists when people are backed up, and what of theirs. */
export const plans: Command = {
  usage: '[--user NAME] [--limit N] [--json]',
  summary: 'list when people are backed up, what of theirs, and whose nights are paused',
  options: {
    user: { value: 'NAME', help: 'only this person: a user name, subject or id' },
    limit: { value: 'N', help: 'at most so many (default: 100)' },
    ...json,
  },
  run: async (options, output) => {
    const most = limitOf(options);
    await using resources = await openRepositoriesFromEnvironment();
    const name = text(options, 'user');
    const userId = name === undefined ? undefined : (await getUserByName(resources, name, 'looking')).id;
    const people = await listPeople(resources.database, { userId, hasPlan: true, limit: most + 1 });
    printTable(output, options, { rows: shownOf(people, most).map(planOf), columns, none: 'None.' });
    return 0;
  },
};

function planOf(person: PersonRow) {
  const { planId, zone, windowStart, windowEnd, nextDueAt, paused, sources, state } = person;
  const living = state === 'active' || state === 'suspect';
  return {
    user: nameOf(person),
    id: planId,
    zone,
    windowStart,
    windowEnd,
    nextDueAt,
    paused,
    sources: sources ?? [],
    goesOn: living && paused === false,
  };
}

type Row = ReturnType<typeof planOf>;

const columns: readonly Column<Row>[] = [
  { name: 'USER', of: ({ user }) => user, stretches: true },
  { name: 'WINDOW', of: ({ windowStart, windowEnd }) => `${windowStart}-${windowEnd}` },
  { name: 'ZONE', of: ({ zone }) => zone ?? '' },
  {
    name: 'NEXT',
    of: ({ goesOn, paused, nextDueAt }) =>
      goesOn && nextDueAt ? minuteWords(nextDueAt) : paused ? 'paused' : 'consent ended',
  },
  { name: 'BACKED UP', of: ({ sources }) => sources.join(', ') },
  { name: 'ID', of: ({ id }) => id ?? '', stretches: true },
];
