import { bytesWords, countWords } from '../count-words.ts';
import { openPersonRepository } from '../flows/nights/open-person-repository.ts';
import { type RepositoryStats, readStats } from '../store/pruner/stats.ts';
import { lockRepository } from '../store/repository/lock.ts';
import { type Command, json } from './command.ts';
import { eachExits } from './each-person.ts';
import { doForEachRepository } from './each-repository.ts';
import { oneOrAll } from './people.ts';

/** Says how much repositories hold, in the terms of `restic stats`. */
export const stats: Command = {
  usage: '--user NAME | --all [--json]',
  summary: 'say how much repositories hold, as restic stats counts',
  options: { ...oneOrAll, ...json },
  exits: eachExits,
  run: (options, output) =>
    doForEachRepository(options, output, {
      use: 'looking',
      work: async (resources, { user, userId, signal }): Promise<Row> => {
        const { clock, lockOwner } = resources;
        const { repository } = await openPersonRepository(resources, userId);
        await using lock = await lockRepository(repository, { clock, ...lockOwner, signal });
        const read = await readStats(repository, lock.signal);
        return { user, ...read };
      },
      linesOf,
    }),
};

type Row = { user: string } & RepositoryStats;

function linesOf(row: Row): string[] {
  const { user, snapshots, files, restoreSize, blobs, rawSize, storedSize, compressionRatio, unusedSize } = row;
  const unused = `${bytesWords(unusedSize)} of no use to any`;
  return [
    `${user}: ${countWords(snapshots, 'snapshot')} of ${countWords(files, 'file or folder', 'files and folders')}, ${bytesWords(restoreSize)} to restore all of ${snapshots === 1 ? 'it' : 'them'}`,
    `  ${countWords(blobs, 'blob')} of ${bytesWords(rawSize)} stored as ${bytesWords(storedSize)} (${compressionRatio.toFixed(2)}x where compressed), ${unused}`,
    `  ${countWords(row.packs, 'pack')}, ${countWords(row.indexFiles, 'index file')}`,
  ];
}
