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
  summary: 'write snapshots again without what cannot be restored',
  options: {
    ...oneOrAll,
    forget: { help: 'remove the incomplete snapshots, and those that cannot be read' },
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
      ...(!dryRun && { whenStopped: 'Nothing is lost by that: the same command does the rest.' }),
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
  if (snapshots.length === 0) return [`${user}: every snapshot is complete, or was repaired before`];
  const isOne = snapshots.length === 1;
  const which = `${user}: ${countWords(snapshots.length, 'snapshot')}`;
  const head = dryRun
    ? `${which} ${isOne ? 'is' : 'are'} incomplete (nothing was done yet)`
    : forget
      ? `${which} ${isOne ? 'was incomplete, and is' : 'were incomplete, and are'} removed.`
      : `${which} ${isOne ? 'is incomplete. The original stays; --forget removes it' : 'are incomplete. The originals stay; --forget removes them'}.`;
  return [head, ...snapshots.map((one) => `  ${lineOf(one)}`)];
}

function lineOf({ id, repaired, isLost, filesLost, foldersLost }: RepairedSnapshot): string {
  if (isLost) return `${id.slice(0, 8)}: nothing is left of it`;
  const lost = `${countWords(filesLost, 'file')} and ${countWords(foldersLost, 'folder')} are lost`;
  return `${id.slice(0, 8)}: ${lost}${repaired === null ? '' : `; without them it is ${repaired.slice(0, 8)}`}`;
}
