import { AppError, isAppError } from '../../errors.ts';
import { mailWriter } from '../../sources/imap/mail-writer.ts';
import { findPlace } from '../../store/restorer/find-place.ts';
import { restoreInOrder } from '../../store/restorer/restore-in-order.ts';
import { openMailTarget } from './mail-target.ts';
import { makeNewFolder, type Writing, type WritingNeeds } from './writing.ts';

/** Into a new mailbox, or into that of a restore that is gone on with. */
export async function writeMail(resources: WritingNeeds, writing: Writing): Promise<void> {
  try {
    await writeMessages(resources, writing);
  } catch (error) {
    const mayContinue = writing.written.folder !== null && isAppError(error, 'restore/permission-ended');
    throw mayContinue ? mailPermissionEnded(error) : error;
  }
}

async function writeMessages(resources: WritingNeeds, writing: Writing): Promise<void> {
  const { access, history, name, notes, path, report, signal, snapshot, url, written } = writing;
  const { clock, config, log, sourceServers: servers } = resources;
  const { repository } = history;
  await using writer = mailWriter({ url, access, servers, clock, log });
  const { type } = await findPlace(repository, snapshot, path);
  written.folder ??= await makeNewFolder((folder) => writer.makeMailbox([folder], signal), name);
  const target = openMailTarget({
    ...{ writer, repository, snapshot, signal, written, folder: written.folder },
    asked: path.split('/').filter((one) => one !== ''),
    isMessage: type === 'file',
    notes,
  });
  try {
    await restoreInOrder(repository, snapshot, target, { path, signal, mostEntries: config.runLimits.members, report });
  } finally {
    target.end();
  }
}

function mailPermissionEnded(cause: AppError): AppError {
  return new AppError(
    'restore/permission-ended',
    'The access that your provider gave for this restore has ended. Continue it: what is written is not written again.',
    { cause },
  );
}
