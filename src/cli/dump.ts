import { AppError } from '../errors.ts';
import { escapedName } from '../file-name.ts';
import type { Repository } from '../store/repository/repository.ts';
import type { SavedSnapshot } from '../store/repository/snapshots.ts';
import { findPlace } from '../store/restorer/find-place.ts';
import { readFile } from '../store/restorer/read-file.ts';
import type { LeftOut } from '../store/restorer/report.ts';
import { tarFolder } from '../store/restorer/tar.ts';
import { zipFolder } from '../store/restorer/zip.ts';
import { textsFor } from '../web/texts/languages.ts';
import { type Command, oneOf, text, warn, writeBytes } from './command.ts';
import { openNamedPerson } from './one-person.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { givenName } from './people.ts';

const archives = ['tar', 'zip'] as const;

/**
 * Writes a file to standard output, or a folder as an archive, as `restic dump` does. Damage ends it in the middle, so that no archive
 * looks whole; exit code 3 when the archive lacks what is named on standard error.
 */
export const dumpCommand: Command = {
  usage: 'SNAPSHOT PATH --user NAME [--archive tar|zip]',
  summary: 'write a file, or a folder as an archive, to standard output',
  operands: {
    snapshot: 'the snapshot, by the beginning of its id, or latest',
    path: 'a file or folder of it, such as files/Documents; / for everything',
  },
  options: {
    user: { value: 'NAME', help: 'the person: a user name, subject or id' },
    archive: { value: 'FORMAT', help: 'the format for a folder: tar or zip (default: tar)' },
  },
  exits: { 3: 'what the archive cannot hold was left out' },
  run: async (options) => {
    const archive = oneOf(options, 'archive', archives) ?? 'tar';
    const name = givenName(options);
    await using resources = await openRepositoriesFromEnvironment();
    const { repository, snapshot, record, loadIndex } = await openNamedPerson(resources, name);
    const saved = await snapshot(text(options, 'snapshot'));
    await record('files-restored', `snapshot ${saved.id.slice(0, 8)}`);
    await loadIndex();
    const path = (text(options, 'path') ?? '')
      .split('/')
      .filter((name) => name !== '')
      .join('/');
    let leftOut = 0;
    const onLeftOut = (name: string, why: string) => {
      leftOut += 1;
      warn(`Left out: ${escapedName(name)}: ${why}`);
    };
    const { members: mostEntries } = resources.config.runLimits;
    const content = await contentAt(repository, saved, path, { archive, onLeftOut, mostEntries });
    for await (const bytes of content) await writeBytes(bytes);
    return leftOut === 0 ? 0 : 3;
  },
};

/** What is at the path. Paths in an archive are those of the snapshot. */
async function contentAt(
  repository: Repository,
  { snapshot }: SavedSnapshot,
  path: string,
  { archive, ...options }: { archive: (typeof archives)[number]; onLeftOut: LeftOut; mostEntries: number },
): Promise<AsyncIterable<Uint8Array>> {
  const place = await findPlace(repository, snapshot, path);
  if (place.type === 'file') return readFile(repository, place);
  if (place.type !== 'root' && place.type !== 'dir')
    throw new AppError('request/invalid', 'There is neither a file nor a folder at that path of the snapshot.');
  const prefix = path === '' ? '' : `${path}/`;
  return archive === 'tar'
    ? tarFolder(repository, place.subtree, prefix, options)
    : zipFolder(repository, snapshot, path, { notes: textsFor({}).snapshots.notes, prefix, ...options });
}
