import { countWords } from '../count-words.ts';
import { requireWholeRows } from '../flows/keys/broken-rows.ts';
import { repairPersonSnapshots } from '../flows/store/repair-snapshots.ts';
import type { RepairedSnapshot } from '../store/repairer/repair-snapshots.ts';
import { commandActor } from './actor.ts';
import { type Command, json } from './command.ts';
import { closeWith, doForEach, eachExits, printAnswers } from './each-person.ts';
import { openInterrupt } from './interrupt.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { nameOf, oneOrAll, ownersOf, refuseUnlessOneOrAll } from './people.ts';

/** Writes snapshots without what is lost for good beside those that are not whole. */
export const repairSnapshotsCommand: Command = {
  usage: '--user NAME | --all [--forget] [--dry-run] [--json]',
  summary: 'make snapshots anew without what cannot be restored',
  options: {
    ...oneOrAll,
    forget: { help: 'remove the snapshots that are not whole' },
    'dry-run': { help: 'only say what would be done' },
    ...json,
  },
  exits: eachExits,
  run: async (options, output) => {
    refuseUnlessOneOrAll(options);
    await using resources = await openRepositoriesFromEnvironment();
    using interrupt = openInterrupt();
    const { signal } = interrupt;
    const [dryRun, forget] = [options['dry-run'] === true, options.forget === true];
    const by = commandActor();
    const answers = await doForEach(options, ownersOf(resources, options, dryRun ? 'looking' : 'acting'), {
      nameOf,
      work: async (owner): Promise<Row> => {
        if (!dryRun) await requireWholeRows(resources, owner.id);
        const snapshots = await repairPersonSnapshots(resources, { userId: owner.id, by, dryRun, forget, signal });
        return { user: nameOf(owner), dryRun, forget, snapshots };
      },
    });
    printAnswers(output, options, { answers, linesOf });
    const code = closeWith(answers);
    return code;
  },
};

interface Row {
  readonly user: string;
  readonly dryRun: boolean;
  readonly forget: boolean;
  readonly snapshots: readonly RepairedSnapshot[];
}

function linesOf({ user, dryRun, forget, snapshots }: Row): string[] {
  if (snapshots.length === 0) return [`${user}: every snapshot is whole, or was repaired before`];
  const isOne = snapshots.length === 1;
  const which = `${user}: ${countWords(snapshots.length, 'snapshot')}`;
  const head = dryRun
    ? `${which} ${isOne ? 'is' : 'are'} not whole (nothing was done yet)`
    : forget
      ? `${which} ${isOne ? 'was not whole, and is' : 'were not whole, and are'} removed.`
      : `${which} ${isOne ? 'is not whole. The original stays; --forget removes it' : 'are not whole. The originals stay; --forget removes them'}.`;
  return [head, ...snapshots.map((one) => `  ${lineOf(one)}`)];
}

function lineOf({ id, repaired, isLost, filesLost, foldersLost }: RepairedSnapshot): string {
  if (isLost) return `${id.slice(0, 8)}: nothing is left of it`;
  const lost = `${countWords(filesLost, 'file')} and ${countWords(foldersLost, 'folder')} are lost`;
  return `${id.slice(0, 8)}: ${lost}${repaired === null ? '' : `; without them it is ${repaired.slice(0, 8)}`}`;
}
