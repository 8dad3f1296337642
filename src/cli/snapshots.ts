import { openPersonRepository } from '../flows/nights/person-repository.ts';
import type { Command } from './command.ts';
import { openHouse } from './open-house.ts';
import { namedUser } from './people.ts';

/** Lists the snapshots of a person, oldest first. */
export const snapshots: Command = {
  usage: '--user NAME [--json]',
  summary: 'list the snapshots of a person',
  options: { user: { type: 'string' }, json: { type: 'boolean' } },
  run: async (options, output) => {
    await using house = await openHouse();
    const { repository } = await openPersonRepository(house, (await namedUser(house, options)).id);
    for await (const { id, snapshot } of repository.listSnapshots()) {
      const { time, paths, summary } = snapshot;
      const files = summary?.total_files_processed;
      const row = { id, time, paths, files, bytes: summary?.total_bytes_processed };
      output.line(
        options.json === true
          ? JSON.stringify(row)
          : `${id.slice(0, 8)}  ${time}  ${files ?? '?'} files  ${paths.join(' ')}`,
      );
    }
    return 0;
  },
};
