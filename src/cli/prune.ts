import { bytesWords } from '../doctor/words.ts';
import { pruneRepository } from '../flows/retention/prune-repository.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printList } from './command.ts';
import { openFromEnvironment } from './open-resources.ts';
import { nameOf, oneOrAll, ownersOf, refuseUnlessOneOrAll } from './people.ts';

/** Removes the data that no snapshot needs any more. */
export const pruneCommand: Command = {
  usage: '--user NAME | --all [--dry-run] [--json]',
  summary: 'remove data that no snapshot needs',
  options: { ...oneOrAll, 'dry-run': { help: 'only say how much would go' }, ...json },
  run: async (options, output) => {
    refuseUnlessOneOrAll(options);
    await using resources = await openFromEnvironment();
    const dryRun = options['dry-run'] === true;
    const rows = [];
    const by = commandActor();
    for (const owner of await ownersOf(resources, options)) {
      const report = await pruneRepository(resources, { userId: owner.id, by, dryRun });
      rows.push({ user: nameOf(owner), dryRun, ...report });
    }
    printList(output, options, { rows, lineOf, none: 'There is no repository yet.' });
    return 0;
  },
};

type Row = { user: string; dryRun: boolean } & Awaited<ReturnType<typeof pruneRepository>>;

function lineOf({ user, dryRun, bytesFreed, bytesUsed, bytesUnused, packsRemoved, packsRepacked }: Row): string {
  const freed = `${bytesWords(bytesFreed)} ${dryRun ? 'would go' : 'went'}`;
  const packs = `${packsRemoved} packs removed, ${packsRepacked} repacked`;
  return `${user}: ${freed}, ${bytesWords(bytesUsed)} stay in use, ${bytesWords(bytesUnused)} unused (${packs})`;
}
