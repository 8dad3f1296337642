import { bytesWords, countWords, minuteWords } from '../count-words.ts';
import { openBudget } from '../store/history/budget.ts';
import { openHistory } from '../store/history/history.ts';
import { type Found, searchNames } from '../store/history/search.ts';
import { type Command, json, printTable, text, warn } from './command.ts';
import { openNamedPerson } from './one-person.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { givenName } from './people.ts';
import type { Column } from './table.ts';

/** Looks for names in every snapshot, as the search of the pages does. */
export const findCommand: Command = {
  usage: 'TEXT --user NAME [--path PATH] [--json]',
  summary: 'find files and folders by their names in all snapshots',
  operands: { text: 'a part of the name, in upper or lower case' },
  options: {
    user: { value: 'NAME', help: 'the person: a user name, subject or id' },
    path: { value: 'PATH', help: 'only below this folder, such as files/Documents' },
    ...json,
  },
  exits: { 3: 'some folders or snapshots cannot be read' },
  run: async (options, output) => {
    const name = givenName(options);
    await using resources = await openRepositoriesFromEnvironment();
    const { repository, record } = await openNamedPerson(resources, name);
    await record('names-read', 'all snapshots');
    const history = openHistory(repository, ({ message }) => warn(message));
    await history.renew();
    const budget = openBudget(Number.POSITIVE_INFINITY);
    const wanted = { text: text(options, 'text') ?? '', path: text(options, 'path') ?? '' };
    const found = await Array.fromAsync(searchNames(history, history.snapshots.toReversed(), wanted, budget));
    printTable(output, options, { rows: found.map(rowOf), columns, none: 'Nothing is called so.' });
    if (budget.damaged > 0) warn(`${countWords(budget.damaged, 'folder')} could not be read.`);
    return budget.damaged + history.damaged === 0 ? 0 : 3;
  },
};

function rowOf({ path, node, last: { id, snapshot } }: Found) {
  const size = node.type === 'file' ? node.size : undefined;
  return { path: `/${path}`, type: node.type, size, mtime: node.mtime, snapshot: id, time: snapshot.time };
}

const columns: readonly Column<ReturnType<typeof rowOf>>[] = [
  { name: 'LAST IN', of: ({ snapshot }) => snapshot.slice(0, 8) },
  { name: 'OF', of: ({ time }) => minuteWords(new Date(time)) },
  { name: 'SIZE', of: ({ size }) => (size === undefined ? '' : bytesWords(size)), right: true },
  { name: 'PATH', of: ({ path, type }) => (type === 'dir' ? `${path}/` : path), stretches: true },
];
