import { countWords } from '../count-words.ts';
import { openBudget } from '../store/history/budget.ts';
import { type Difference, differencesOf } from '../store/history/differences.ts';
import { type Command, json, printList, text, warn } from './command.ts';
import { openNamedPerson } from './one-person.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { givenName } from './people.ts';

/** Lists what differs between two snapshots, by the signs of `restic diff`. */
export const diffCommand: Command = {
  usage: 'FIRST SECOND --user NAME [--json]',
  summary: 'list what differs between two snapshots',
  operands: {
    first: 'a snapshot, by the beginning of its id',
    second: 'another one, or latest: + is added in it, - removed, M modified, T of another type',
  },
  options: { user: { value: 'NAME', help: 'the person: a user name, subject or id' }, ...json },
  exits: { 3: 'some folders cannot be read' },
  run: async (options, output) => {
    const name = givenName(options);
    await using resources = await openRepositoriesFromEnvironment();
    const { repository, snapshot, record, loadIndex } = await openNamedPerson(resources, name);
    const first = await snapshot(text(options, 'first'));
    const second = await snapshot(text(options, 'second'));
    await record('names-read', `snapshots ${first.id.slice(0, 8)} and ${second.id.slice(0, 8)}`);
    await loadIndex();
    const budget = openBudget(Number.POSITIVE_INFINITY);
    const trees = { before: first.snapshot.tree, after: second.snapshot.tree };
    const rows = await Array.fromAsync(differencesOf(repository, trees, budget), rowOf);
    printList(output, options, {
      rows,
      lineOf: ({ modifier, path, type }) => `${modifier.padEnd(5)}${path}${type === 'dir' ? '/' : ''}`,
      none: 'Nothing differs.',
    });
    if (budget.damaged > 0) warn(`${countWords(budget.damaged, 'folder')} could not be read.`);
    return budget.damaged === 0 ? 0 : 3;
  },
};

function rowOf({ path, modifier, node }: Difference) {
  const size = node.type === 'file' ? node.size : undefined;
  return { modifier, path: `/${path}`, type: node.type, size };
}
