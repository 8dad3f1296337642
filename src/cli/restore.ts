import { resolve } from 'node:path';
import { AppError } from '../errors.ts';
import { openPersonRepository } from '../flows/nights/person-repository.ts';
import { openTargetFolder } from '../store/restorer/folder.ts';
import { restore } from '../store/restorer/restore.ts';
import { type Command, text } from './command.ts';
import { openHouse } from './open-house.ts';
import { namedUser } from './people.ts';

/** Restores a snapshot, or a part of it, to a folder; exit code 3 when some of it could not be restored. */
export const restoreCommand: Command = {
  usage: '--user NAME --to DIR [--snapshot ID] [--path PATH] [--overwrite]',
  summary: 'restore to a folder',
  options: {
    user: { type: 'string' },
    to: { type: 'string' },
    snapshot: { type: 'string' },
    path: { type: 'string' },
    overwrite: { type: 'boolean' },
  },
  run: async (options, output) => {
    const to = text(options, 'to');
    if (to === undefined) throw new AppError('usage/invalid', 'Say where to with --to DIR.');
    await using house = await openHouse();
    const { repository } = await openPersonRepository(house, (await namedUser(house, options)).id);
    const { id, snapshot } = await repository.findSnapshot(text(options, 'snapshot') ?? 'latest');
    await repository.loadIndex();
    const report = await restore(repository, snapshot, openTargetFolder(resolve(to)), {
      path: text(options, 'path') ?? '',
      overwrite: options.overwrite === true,
    });
    output.line(
      `Restored ${report.files} files (${report.bytes} bytes) in ${report.folders} folders of snapshot ${id.slice(0, 8)} to ${to}.`,
    );
    for (const { path, message } of report.problems) output.line(`Not restored: ${path}: ${message}`);
    return report.problems.length === 0 ? 0 : 3;
  },
};
