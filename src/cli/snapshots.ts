import { bytesWords, minuteWords } from '../count-words.ts';
import type { AppError } from '../errors.ts';
import { openPersonRepository } from '../flows/nights/open-person-repository.ts';
import { openFindings } from '../store/repository/findings.ts';
import { type Command, json, printTable, warn } from './command.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName } from './people.ts';
import type { Column } from './table.ts';

/** Lists the snapshots of a person, oldest first, and says which cannot be read. */
export const snapshots: Command = {
  usage: '--user NAME [--json]',
  summary: 'list the snapshots of a person',
  options: { user: { value: 'NAME', help: 'the person: a user name, subject or id' }, ...json },
  exits: { 3: 'some of them cannot be read' },
  run: async (options, output) => {
    const name = givenName(options);
    await using resources = await openRepositoriesFromEnvironment();
    const { id: userId } = await getUserByName(resources, name, 'looking');
    const { repository } = await openPersonRepository(resources, userId);
    const damage = openFindings();
    const damaged = ({ message }: AppError) => damage.add({ kind: 'file-damaged', severity: 'error', message });
    const found = await Array.fromAsync(repository.listSnapshots(damaged));
    const rows: Row[] = found.map(({ id, snapshot: { time, paths, summary } }) => ({
      id,
      time,
      paths,
      files: summary?.total_files_processed,
      bytes: summary?.total_bytes_processed,
    }));
    printTable(output, options, { rows, columns, none: 'None yet.' });
    for (const { message } of damage.all()) warn(message);
    return damage.all().length === 0 ? 0 : 3;
  },
};

interface Row {
  id: string;
  time: string;
  paths: readonly string[];
  files: number | undefined;
  bytes: number | undefined;
}

const columns: readonly Column<Row>[] = [
  { name: 'ID', of: ({ id }) => id.slice(0, 8) },
  { name: 'TIME', of: ({ time }) => minuteWords(new Date(time)) },
  { name: 'FILES', of: ({ files }) => files ?? '', right: true },
  { name: 'SIZE', of: ({ bytes }) => (bytes === undefined ? '' : bytesWords(bytes)), right: true },
  { name: 'FROM', of: ({ paths }) => paths.join(' '), stretches: true },
];
