import { countWords } from '../count-words.ts';
import { repairPersonSnapshots } from '../flows/store/repair-snapshots.ts';
import type { RepairedSnapshot } from '../store/repairer/repair-snapshots.ts';
import { commandActor } from './actor.ts';
import { type Command, json } from './command.ts';
import { eachExits } from './each-person.ts';
import { doForEachRepository } from './each-repository.ts';
import { oneOrAll } from './people.ts';

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
    const [dryRun, forget] = [options['dry-run'] === true, options.forget === true];
    const by = commandActor();
    return doForEachRepository(options, output, {
      use: dryRun ? 'looking' : 'acting',
      work: async (resources, { user, userId, signal }): Promise<Row> => {
        const snapshots = await repairPersonSnapshots(resources, { userId, by, dryRun, forget, signal });
        return { user, dryRun, forget, snapshots };
      },
      linesOf,
    });
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
