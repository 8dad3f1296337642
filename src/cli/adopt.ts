import { countWords, minuteWords } from '../count-words.ts';
import { parseStoreAddress, storeUrl } from '../domain/store-address.ts';
import { AppError, isAppError } from '../errors.ts';
import { adoptByRecoveryKey } from '../flows/adoption/adopt-by-recovery-key.ts';
import { type Adoption, adoptRepositories } from '../flows/adoption/adopt-repositories.ts';
import type { RepositoryResources } from '../repository-resources.ts';
import { timestampMs } from '../store/format/timestamp.ts';
import { commandActor } from './actor.ts';
import { type Command, json, type Options, printList, text } from './command.ts';
import { openInterrupt, saidOfStop } from './interrupt.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName } from './people.ts';
import { readRecoveryKey } from './recovery-key-file.ts';
import { requireStoreFolder } from './store-folder.ts';

/** Takes over the repositories that lie in the store and that the database does not know. */
export const adopt: Command = {
  usage: '[--store URL] [--dry-run] [--user NAME --recovery-key-file FILE [--folder FOLDER]] [--json]',
  summary: 'adopt repositories of a lost installation',
  options: {
    store: { value: 'URL', help: 'written like STORE_URL (default: the one in the settings)' },
    'dry-run': { help: 'say what would be done, and change nothing' },
    'recovery-key-file': { value: 'FILE', help: 'holds the recovery key of one person, whose repository it opens' },
    user: { value: 'NAME', help: 'with a recovery key: this person, who has signed in here' },
    folder: { value: 'FOLDER', help: 'with a recovery key: only this folder of the store, as on the recovery sheet' },
    ...json,
  },
  exits: { 3: 'some could not be adopted' },
  run: async (options, output) => {
    const file = text(options, 'recovery-key-file');
    if (file === undefined && (options.user !== undefined || options.folder !== undefined))
      throw new AppError('usage/invalid', '--user and --folder go with --recovery-key-file FILE.');
    if (file !== undefined && options['dry-run'] === true)
      throw new AppError('usage/invalid', '--dry-run and --recovery-key-file do not go together.');
    await using resources = await openRepositoriesFromEnvironment({ begins: true });
    const at = storeOf(resources, options);
    requireStoreFolder(at === null ? resources.config.store : parseStoreAddress(at));
    using interrupt = openInterrupt();
    const { signal } = interrupt;
    const { rows, stopped } =
      file === undefined
        ? await adoptAll(resources, at, { options, signal })
        : { rows: [await adoptOne(resources, at, options, file)] };
    const none = stopped === undefined ? 'There is no repository in the store.' : 'None was looked at.';
    printList(output, options, { rows, lineOf, none });
    if (stopped !== undefined) throw stopped;
    return rows.some(({ state }) => state === 'refused') ? 3 : 0;
  },
};

const stoppedWords = 'Stopped: there are more in the store. What was adopted stays so, and the same command goes on.';

/** `stopped`: why it did not come to all of them. */
async function adoptAll(
  resources: RepositoryResources,
  at: string | null,
  { options, signal }: { options: Options; signal: AbortSignal },
): Promise<{ rows: Adoption[]; stopped?: unknown }> {
  const dryRun = options['dry-run'] === true;
  const rows: Adoption[] = [];
  try {
    for await (const row of adoptRepositories(resources, { at, dryRun, by: commandActor(), signal })) rows.push(row);
    return { rows };
  } catch (error) {
    if (!isAppError(error, 'run/stopped')) throw error;
    return { rows, stopped: saidOfStop(error, stoppedWords) };
  }
}

async function adoptOne(
  resources: RepositoryResources,
  at: string | null,
  options: Options,
  file: string,
): Promise<Adoption> {
  const { id: userId, issuer, subject, username } = await getUserByName(resources, givenName(options), 'acting');
  return adoptByRecoveryKey(resources, {
    owner: { userId, issuer, subject, username },
    recoveryKey: await readRecoveryKey(file),
    folder: text(options, 'folder'),
    at,
    by: commandActor(),
  });
}

/** Null where it is the store of the settings: its repositories follow the settings. */
function storeOf({ config }: RepositoryResources, options: Options): string | null {
  const url = text(options, 'store');
  if (url === undefined) return null;
  try {
    const named = storeUrl(parseStoreAddress(url));
    return named === storeUrl(config.store) ? null : named;
  } catch (error) {
    if (error instanceof RangeError) throw new AppError('usage/invalid', `--store ${error.message}.`);
    throw error;
  }
}

function lineOf({ location, state, owner, snapshots, newest, problem }: Adoption): string {
  const who = owner === undefined ? location : `${owner.username ?? owner.subject} (${location})`;
  const holds =
    snapshots === undefined
      ? ''
      : `, ${countWords(snapshots, 'snapshot')}${newest === undefined ? '' : `, the last of ${minuteWords(new Date(timestampMs(newest)))}`}`;
  return `${who}: ${words[state]}${holds}${problem === undefined ? '' : `. ${problem}`}`;
}

const words: Record<Adoption['state'], string> = {
  adopted: 'adopted',
  adoptable: 'would be adopted',
  known: 'is known here',
  refused: 'not adopted',
};
