import { bytesWords, countWords } from '../count-words.ts';
import { pruneRepository } from '../flows/retention/prune-repository.ts';
import { commandActor } from './actor.ts';
import { type Command, json } from './command.ts';
import { eachExits } from './each-person.ts';
import { doForEachRepository } from './each-repository.ts';
import { oneOrAll } from './people.ts';

/** Removes the data that no snapshot needs any more. */
export const pruneCommand: Command = {
  usage: '--user NAME | --all [--dry-run] [--json]',
  summary: 'remove data that no snapshot needs',
  options: { ...oneOrAll, 'dry-run': { help: 'only say how much would be removed' }, ...json },
  exits: eachExits,
  run: async (options, output) => {
    const dryRun = options['dry-run'] === true;
    const by = commandActor();
    return doForEachRepository(options, output, {
      use: dryRun ? 'looking' : 'acting',
      work: async (resources, { user, userId, signal }): Promise<Row> => {
        const pruned = await pruneRepository(resources, { userId, by, dryRun, signal });
        return { user, dryRun, ...pruned };
      },
      linesOf,
      ...(!dryRun && {
        whenStopped: 'Nothing that a snapshot needs is gone, and the next prune ends what this one began.',
      }),
    });
  },
};

type Row = { user: string; dryRun: boolean } & Awaited<ReturnType<typeof pruneRepository>>;

function linesOf({ user, dryRun, bytesFreed, bytesUsed, bytesUnused, packsRemoved, packsRepacked }: Row): string[] {
  const freed = `${bytesWords(bytesFreed)} ${dryRun ? 'would go' : 'went'}`;
  const packs = `${countWords(packsRemoved, 'pack')} ${dryRun ? 'to be removed' : 'removed'}, ${packsRepacked} ${dryRun ? 'to be repacked' : 'repacked'}`;
  return [`${user}: ${freed}, ${bytesWords(bytesUsed)} stay in use, ${bytesWords(bytesUnused)} unused (${packs})`];
}
