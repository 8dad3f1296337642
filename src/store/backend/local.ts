import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { countWords } from '../../count-words.ts';
import { AppError } from '../../errors.ts';
import { makeFolders } from '../../make-folders.ts';
import {
  type Backend,
  type ByteRange,
  configName,
  type FileType,
  folders,
  isFileName,
  longestFile,
  notThere,
  pathOf,
  tooLong,
} from './backend.ts';
import { localError } from './local-error.ts';

/**
 * A repository in a folder. A file is written beside its final name, synced, renamed and made read-only, so that after a
 * crash it is there whole or not at all. Folders that are missing are made at the first write.
 */
export function openLocalBackend(folder: string): Backend {
  const guarded = <T>(work: Promise<T>) => work.catch((error: unknown) => Promise.reject(localError(error, folder)));
  const ofFile = <T>(type: FileType, name: string, work: Promise<T>) =>
    work.catch((error: unknown) => Promise.reject(localError(error, folder, { file: pathOf(type, name) })));
  const at = (type: FileType, name: string) => join(folder, pathOf(type, name));
  return {
    location: folder,
    isNear: true,
    save: (type, name, bytes) =>
      saveOnce(folder, pathOf(type, name), bytes).catch((error: unknown) =>
        Promise.reject(localError(error, folder, { writing: true })),
      ),
    load: (type, name, range, memory) =>
      ofFile(
        type,
        name,
        range === undefined ? readWhole(folder, type, name) : readPart(folder, type, name, { range, memory }),
      ),
    list: (type) => listFiles(folder, type, guarded),
    stat: async (type, name) => {
      const { size, mtime } = await ofFile(type, name, statFile(folder, pathOf(type, name)));
      return { name, size, modified: mtime };
    },
    remove: (type, name) => ofFile(type, name, removeDurably(at(type, name))),
    vacate: () => guarded(vacate(folder)),
  };
}

/** The folders in which repositories may be, directly in this one; none where it is missing. */
export async function* listLocalPlaces(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? [] : Promise.reject(localError(error, folder)),
  );
  for (const entry of entries) if (entry.isDirectory()) yield entry.name;
}

const readOnly = 0o400;
const forOwner = 0o700;

async function saveOnce(folder: string, file: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, file);
  await makeFolder(dirname(path)).catch((error: unknown) => rejectForFolder(error, folder, dirname(file)));
  if (await exists(path)) throw new AppError('store/exists', 'The store has that file already.', { detail: { path } });
  const temporary = `${path}-tmp-${randomBytes(6).toString('hex')}`;
  try {
    await writeDurably(temporary, bytes).catch((error: unknown) => rejectForFolder(error, folder, dirname(file)));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(bytes);
  const { size } = await file.stat();
  if (size !== bytes.length) {
    throw new AppError('store/unavailable', `Wrote ${countWords(bytes.length, 'byte')}, but the disk has ${size}.`, {
      retry: { afterMs: 500 },
    });
  }
  await file.chmod(readOnly);
  await file.sync();
}

/** Makes the folder and those above it; a new folder is durable only once its parent is synced. */
async function makeFolder(path: string): Promise<void> {
  const first = makeFolders(path, forOwner);
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await syncFolder(dirname(folder));
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, constants.O_RDONLY);
  await folder.sync();
}

/** Nothing is waited for: to open a pipe that nobody writes to would hold a thread for ever. */
const reading = constants.O_RDONLY | constants.O_NONBLOCK;

async function openForReading(folder: string, type: FileType, name: string): Promise<FileHandle> {
  const path = join(folder, pathOf(type, name));
  try {
    return await open(path, reading);
  } catch (error) {
    const code = codeOf(error);
    // Of a socket, and of a device that is not there.
    if (code === 'ENXIO' || code === 'ENODEV') throw noFile(type, name);
    // Without the file that tells of it there is no repository.
    if (type !== 'config' && nowhere.includes(code) && (await isLink(path))) throw leadsNowhere(type, name);
    throw error;
  }
}

/** What the system says of a link that leads to nothing, to itself or through a file. */
const nowhere = ['ENOENT', 'ELOOP', 'ENOTDIR', 'ENAMETOOLONG'];

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (entry) => entry.isSymbolicLink(),
    () => false,
  );
}

async function statFile(folder: string, file: string): Promise<Stats> {
  const path = join(folder, file);
  return stat(path).catch(async (error: unknown) => {
    throw nowhere.includes(codeOf(error)) && (await isLink(path)) ? notThere(file) : error;
  });
}

async function readWhole(folder: string, type: FileType, name: string): Promise<Buffer> {
  await using file = await openForReading(folder, type, name);
  const entry = await file.stat();
  if (!entry.isFile()) throw noFile(type, name);
  if (entry.size > longestFile[type]) throw tooLong(type, name);
  return await file.readFile();
}

/** A device may have no end. */
function noFile(type: FileType, name: string): AppError {
  const file = pathOf(type, name);
  const message = `${file} is a folder, a pipe, a socket or a device, not a file. Move it away, or bring the right file back from a copy of the store.`;
  return new AppError('repository/damaged', message, { detail: { file } });
}

/** Stock restic waits for what it leads to, for a quarter of an hour at each look. */
function leadsNowhere(type: FileType, name: string): AppError {
  const file = pathOf(type, name);
  const message = `${file} is a link that leads nowhere. Mount the disk that it leads to, or bring the right file back from a copy of the store.`;
  return new AppError('repository/damaged', message, { detail: { file } });
}

/** What an error of the file system means that came of a folder of the repository, at `path` in it: of the first on the way there that is none or refuses. */
async function rejectForFolder(error: unknown, folder: string, path: string): Promise<never> {
  const isRefused = codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM';
  if (!isRefused && !['EEXIST', 'ENOTDIR', 'ENOENT', 'ELOOP'].includes(codeOf(error))) throw error;
  let found = '';
  for (const part of path.split('/')) {
    const at = join(found, part);
    const entry = await stat(join(folder, at)).catch(() => undefined);
    if (entry === undefined && !(await isLink(join(folder, at)))) break;
    if (!entry?.isDirectory()) throw noFolder(folder, at);
    found = at;
  }
  throw isRefused && found !== '' ? localError(error, folder, { inFolder: found }) : error;
}

function noFolder(folder: string, path: string): AppError {
  const message = `${path} of the store at ${folder} is a file, or a link that leads nowhere, where a folder must be. Mount the disk that it leads to, or move it away.`;
  return new AppError('store/unavailable', message, { detail: { folder, path } });
}

async function readPart(
  folder: string,
  type: FileType,
  name: string,
  { range, memory }: { range: ByteRange; memory: ArrayBuffer | undefined },
): Promise<Buffer> {
  await using file = await openForReading(folder, type, name);
  return await readRange(file, range, memory).catch((error: unknown) => {
    // Of a pipe no part can be read.
    throw ['EISDIR', 'ESPIPE'].includes(codeOf(error)) ? noFile(type, name) : error;
  });
}

async function readRange(file: FileHandle, { offset, length }: ByteRange, memory?: ArrayBuffer): Promise<Buffer> {
  const fits = memory !== undefined && memory.byteLength >= length;
  const bytes = fits ? Buffer.from(memory, 0, length) : Buffer.allocUnsafe(length);
  let got = 0;
  while (got < length) {
    const { bytesRead } = await file.read(bytes, got, length - got, offset + got);
    if (bytesRead === 0)
      throw new AppError('repository/damaged', 'A file of the repository is shorter than its index says.');
    got += bytesRead;
  }
  return bytes;
}

async function* listFiles(
  folder: string,
  type: FileType,
  guarded: <T>(work: Promise<T>) => Promise<T>,
): AsyncGenerator<{ name: string; size: number }> {
  const names = type === 'config' ? [configName] : await guarded(namesIn(folder, type));
  for (const name of names) {
    const size = await guarded(sizeOf(join(folder, pathOf(type, name))));
    if (size !== undefined) yield { name, size };
  }
}

async function namesIn(folder: string, type: Exclude<FileType, 'config'>): Promise<string[]> {
  const top = folders[type];
  if (type !== 'data') return (await readFolder(folder, top)).filter(isFileName);
  const parts = (await readFolder(folder, top)).filter((part) => /^[0-9a-f]{2}$/.test(part));
  const names: string[] = [];
  // One by one: there may be more than a call takes.
  for (const part of parts)
    for (const name of await readFolder(folder, join(top, part)))
      if (isFileName(name) && name.startsWith(part)) names.push(name);
  return names;
}

/** The names in a folder of the repository; none where it is missing, but not where a link to it leads nowhere: its disk may not be mounted. */
async function readFolder(folder: string, path: string): Promise<string[]> {
  try {
    return await readdir(join(folder, path));
  } catch (error) {
    return rejectForFolder(error, folder, path).catch((cause: unknown) =>
      codeOf(cause) === 'ENOENT' ? [] : Promise.reject(cause),
    );
  }
}

/** The size; undefined for what vanished since it was listed, and 0 for a link through which nothing can be reached. */
async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    async (error: unknown) => {
      const isOfLink = [...nowhere, 'EACCES'].includes(codeOf(error)) && (await isLink(path));
      if (!isOfLink && codeOf(error) !== 'ENOENT') throw error;
      return isOfLink ? 0 : undefined;
    },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** A link that leads nowhere is in nobody's way. */
async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => (nowhere.includes(codeOf(error)) ? false : Promise.reject(error)),
  );
}

/** An empty folder, which somebody made in the place of a file, goes too. */
async function removeDurably(path: string): Promise<void> {
  await rm(path).catch((error: unknown) => (codeOf(error) === 'ERR_FS_EISDIR' ? rmdir(path) : Promise.reject(error)));
  await syncFolder(dirname(path));
}

const leftover = /^([0-9a-f]{64}|config)-tmp-[0-9a-f]{12}$/;

/** A folder with anything in it that is not a leftover stays. */
async function vacate(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? [] : Promise.reject(error),
  );
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await vacate(path);
    else if (leftover.test(entry.name)) await rm(path, { force: true });
  }
  await rmdir(folder).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' || error.code === 'ENOTEMPTY' ? undefined : Promise.reject(error),
  );
}
