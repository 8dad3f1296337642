import { openPersonRepository } from '../flows/nights/open-person-repository.ts';
import { type Command, json, printList } from './command.ts';
import { openFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName } from './people.ts';

/** Lists the snapshots of a person, oldest first. */
export const snapshots: Command = {
  usage: '--user NAME [--json]',
  summary: 'list the snapshots of a person',
  options: { user: { value: 'NAME', help: 'the person: a user name, subject or id' }, ...json },
  run: async (options, output) => {
    const name = givenName(options);
    await using resources = await openFromEnvironment();
    const { id: userId } = await getUserByName(resources, name);
    const { repository } = await openPersonRepository(resources, userId);
    const found = await Array.fromAsync(repository.listSnapshots());
    const rows = found.map(({ id, snapshot: { time, paths, summary } }) => ({
      id,
      time,
      paths,
      files: summary?.total_files_processed,
      bytes: summary?.total_bytes_processed,
    }));
    printList(output, options, { rows, lineOf, none: 'None yet.' });
    return 0;
  },
};

function lineOf({
  id,
  time,
  files,
  paths,
}: {
  id: string;
  time: string;
  files: number | undefined;
  paths: readonly string[];
}) {
  return `${id.slice(0, 8)}  ${time}  ${files ?? '?'} files  ${paths.join(' ')}`;
}
