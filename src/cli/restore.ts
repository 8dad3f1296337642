import { resolve } from 'node:path';
import { saveAudit } from '../database/audit.ts';
import { AppError } from '../errors.ts';
import { openPersonRepository } from '../flows/nights/open-person-repository.ts';
import { ownOf } from '../flows/nights/own-snapshots.ts';
import { openTargetFolder } from '../store/restorer/folder.ts';
import { restore } from '../store/restorer/restore.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printAnswer, text } from './command.ts';
import { openFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName } from './people.ts';

/** Restores a snapshot, or a part of it, to a folder; exit code 3 when some of it could not be restored. */
export const restoreCommand: Command = {
  usage: '--user NAME --to DIR [--snapshot ID] [--path PATH] [--overwrite] [--json]',
  summary: 'restore to a folder',
  options: {
    user: { value: 'NAME', help: 'the person: a user name, subject or id' },
    to: { value: 'DIR', help: 'the folder to restore into; created if missing' },
    snapshot: { value: 'ID', help: 'the snapshot, by the beginning of its id (default: the latest backup)' },
    path: { value: 'PATH', help: 'only this file or folder of the snapshot, such as files/Documents' },
    overwrite: { help: 'replace existing files' },
    ...json,
  },
  exits: { 3: 'some of it could not be restored' },
  run: async (options, output) => {
    const to = text(options, 'to');
    if (to === undefined) throw new AppError('usage/invalid', 'Name the folder to restore into with --to DIR.');
    const name = givenName(options);
    await using resources = await openFromEnvironment();
    const { id: userId } = await getUserByName(resources, name);
    const { repository } = await openPersonRepository(resources, userId);
    const latest = ownOf(await Array.fromAsync(repository.listSnapshots(() => undefined)), resources.clock.now()).at(
      -1,
    );
    const { id, snapshot } = await repository.findSnapshot(text(options, 'snapshot') ?? latest?.id ?? 'latest');
    const at = resources.clock.now();
    const about = `snapshot ${id.slice(0, 8)}`;
    await saveAudit(resources.database, { at, by: commandActor(), act: 'files-restored', userId, about });
    await repository.loadIndex();
    const report = await restore(repository, snapshot, openTargetFolder(resolve(to)), {
      path: text(options, 'path') ?? '',
      overwrite: options.overwrite === true,
    });
    const words = [
      `Restored ${report.files} files (${report.bytes} bytes) in ${report.folders} folders of snapshot ${id.slice(0, 8)} to ${to}.`,
      ...report.problems.map(({ path, message }) => `Not restored: ${path}: ${message}`),
    ];
    printAnswer(output, options, { snapshot: id, to: resolve(to), ...report }, words.join('\n'));
    return report.problems.length === 0 ? 0 : 3;
  },
};
