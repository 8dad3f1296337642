import { countWords } from '../count-words.ts';
import { bytesWords } from '../doctor/words.ts';
import { requireWholeRows } from '../flows/keys/broken-rows.ts';
import { pruneRepository } from '../flows/retention/prune-repository.ts';
import { commandActor } from './actor.ts';
import { type Command, json } from './command.ts';
import { closeWith, doForEach, eachExits, printAnswers } from './each-person.ts';
import { openInterrupt } from './interrupt.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { nameOf, oneOrAll, ownersOf, refuseUnlessOneOrAll } from './people.ts';

/** Removes the data that no snapshot needs any more. */
export const pruneCommand: Command = {
  usage: '--user NAME | --all [--dry-run] [--json]',
  summary: 'remove data that no snapshot needs',
  options: { ...oneOrAll, 'dry-run': { help: 'only say how much would go' }, ...json },
  exits: eachExits,
  run: async (options, output) => {
    refuseUnlessOneOrAll(options);
    await using resources = await openRepositoriesFromEnvironment();
    using interrupt = openInterrupt();
    const { signal } = interrupt;
    const dryRun = options['dry-run'] === true;
    const by = commandActor();
    const answers = await doForEach(options, ownersOf(resources, options, dryRun ? 'looking' : 'acting'), {
      nameOf,
      work: async (owner): Promise<Row> => {
        if (!dryRun) await requireWholeRows(resources, owner.id);
        const pruned = await pruneRepository(resources, { userId: owner.id, by, dryRun, signal });
        return { user: nameOf(owner), dryRun, ...pruned };
      },
    });
    printAnswers(output, options, { answers, linesOf });
    const code = closeWith(answers);
    return code;
  },
};

type Row = { user: string; dryRun: boolean } & Awaited<ReturnType<typeof pruneRepository>>;

function linesOf({ user, dryRun, bytesFreed, bytesUsed, bytesUnused, packsRemoved, packsRepacked }: Row): string[] {
  const freed = `${bytesWords(bytesFreed)} ${dryRun ? 'would go' : 'went'}`;
  const packs = `${countWords(packsRemoved, 'pack')} ${dryRun ? 'to be removed' : 'removed'}, ${packsRepacked} ${dryRun ? 'to be repacked' : 'repacked'}`;
  return [`${user}: ${freed}, ${bytesWords(bytesUsed)} stay in use, ${bytesWords(bytesUnused)} unused (${packs})`];
}
