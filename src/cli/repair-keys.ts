import { countWords } from '../count-words.ts';
import { type MendedKeyFiles, mendKeyFiles } from '../flows/keys/mend-key-files.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printAnswer, text } from './command.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName } from './people.ts';
import { readRecoveryKey } from './recovery-key-file.ts';

/** Makes a key file anew that is gone or damaged: that of Nightkeep by the recovery key, or that of the recovery key. */
export const repairKeys: Command = {
  usage: '--user NAME [--recovery-key-file FILE] [--json]',
  summary: 'write lost key files of a repository again',
  options: {
    user: { value: 'NAME', help: 'of this person: a user name, subject or id' },
    'recovery-key-file': {
      value: 'FILE',
      help: 'holds the recovery key; needed only if the person has confirmed that they kept it',
    },
    ...json,
  },
  run: async (options, output) => {
    const name = givenName(options);
    const file = text(options, 'recovery-key-file');
    const recoveryKey = file === undefined ? undefined : await readRecoveryKey(file);
    await using resources = await openRepositoriesFromEnvironment();
    const { id: userId } = await getUserByName(resources, name, 'acting');
    const mended = await mendKeyFiles(resources, { userId, recoveryKey, by: commandActor() });
    printAnswer(output, options, { user: name, ...mended }, `${name}: ${wordsOf(mended)}`);
    return 0;
  },
};

function wordsOf({ service, recovery, removed }: MendedKeyFiles): string {
  const gone =
    removed === 0 ? '' : ` ${countWords(removed, 'damaged key file was', 'damaged key files were')} removed.`;
  if (service === 'whole' && recovery !== 'anew') return `both key files are intact${gone && `.${gone}`}`;
  const anew = [
    ...(service === 'anew' ? ['the key file of Nightkeep'] : []),
    ...(recovery === 'anew' ? ['the key file of the recovery key'] : []),
  ];
  return `written again: ${anew.join(', ')}. The passwords are what they were.${gone}`;
}
