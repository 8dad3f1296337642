import { AppError } from '../errors.ts';
import { exportState, importState, type MovedState } from '../flows/state/move-state.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printAnswer, text } from './command.ts';
import { openFromEnvironment } from './open-resources.ts';

/** Writes Nightkeep's own state into a file. */
export const exportCommand: Command = {
  usage: '--to FILE [--with-tokens] [--json]',
  summary: "save Nightkeep's own state, sealed with the keyring",
  options: {
    to: { value: 'FILE', help: 'the file to write; one that is there is replaced' },
    'with-tokens': { help: 'offline tokens too: the provider may end a session to which an old one is sent' },
    ...json,
  },
  run: async (options, output) => {
    const to = text(options, 'to');
    if (to === undefined) throw new AppError('usage/invalid', 'Name the file to write with --to FILE.');
    const withTokens = options['with-tokens'] === true;
    await using resources = await openFromEnvironment();
    const moved = await exportState(resources, { to, withTokens, by: commandActor() });
    const agree = withTokens ? '' : ' Offline tokens are not in it: after an import people agree again.';
    printAnswer(output, options, moved, `Exported ${countOf(moved)} rows to ${to}.${agree}`);
    return 0;
  },
};

/** Reads such a file into an empty database. */
export const importCommand: Command = {
  usage: '--from FILE [--json]',
  summary: 'bring an export into an empty, migrated database',
  options: { from: { value: 'FILE', help: 'what nightkeep export wrote' }, ...json },
  run: async (options, output) => {
    const from = text(options, 'from');
    if (from === undefined) throw new AppError('usage/invalid', 'Name the file to read with --from FILE.');
    await using resources = await openFromEnvironment();
    const moved = await importState(resources, { from, by: commandActor() });
    const agree = moved.withTokens
      ? ' Tokens that were used since may end a session: those people agree again.'
      : ' People are asked to agree again.';
    printAnswer(output, options, moved, `Imported ${countOf(moved)} rows, as they were at ${moved.createdAt}.${agree}`);
    return 0;
  },
};

function countOf({ rows }: MovedState): number {
  return Object.values(rows).reduce((sum, count) => sum + count, 0);
}
