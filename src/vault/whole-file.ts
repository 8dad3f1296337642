import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { dayMs } from '../durations.ts';
import { AppError } from '../errors.ts';
import type { Sink } from './sealed-texts.ts';

/**
 * Writes a file, which is there whole once `work` is done, or not at all, and readable by this user only. One that is there is replaced,
 * where a link leads to as well; a device or a pipe is not. What a process that was killed had written of it for more than a day is removed. Throws `usage/invalid` where it cannot be written, `store/full` where there
 * is no room.
 */
export async function writeFileWhole(path: string, work: (sink: Sink) => Promise<void>): Promise<void> {
  let temporary: string | undefined;
  try {
    const target = await placeOf(path);
    temporary = `${target}.${randomUUID()}.part`;
    await using file = await open(temporary, 'wx', 0o600);
    await removeAbandoned(target, file).catch(() => undefined);
    // All of it: where the disk is nearly full, a write may take a part and say so only by its length.
    await work((bytes) => file.writeFile(bytes));
    await file.sync();
    await rename(temporary, target);
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => undefined);
    throw isSystemError(error) ? unwritten(path, error) : error;
  }
}

/** Longer than any file is written. */
const abandonedMs = dayMs;

/** How old one is, the clock of its file system says, by which the new one is new. */
async function removeAbandoned(target: string, fresh: FileHandle): Promise<void> {
  const { mtimeMs } = await fresh.stat();
  const rest = /^\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;
  const name = basename(target);
  for (const one of await readdir(dirname(target))) {
    if (!one.startsWith(name) || !rest.test(one.slice(name.length))) continue;
    const path = join(dirname(target), one);
    if ((await stat(path)).mtimeMs < mtimeMs - abandonedMs) await rm(path, { force: true });
  }
}

/** Where the bytes go: what is there and is no file would be taken away by a rename, and would get nothing. */
async function placeOf(path: string): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return path;
  if (found.isFile() || found.isDirectory()) return await realpath(path);
  throw new AppError('usage/invalid', `${path} is a device or a pipe, not a file: name a file.`);
}

function unwritten(path: string, cause: NodeJS.ErrnoException): AppError {
  if (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
    return new AppError(
      'store/full',
      `The file ${path} cannot be written: ${cause.code}. Make room there, or name one on a larger disk.`,
      { cause },
    );
  return new AppError(
    'usage/invalid',
    `The file ${path} cannot be written: ${cause.code}. Name one in a folder that is there and that this user may write to.`,
    { cause },
  );
}

/** The bytes of a file, in pieces. Throws `usage/invalid` where it cannot be read. */
export async function* readPieces(path: string): AsyncGenerator<Buffer> {
  try {
    await using file = await open(path, 'r');
    yield* file.createReadStream({ autoClose: false });
  } catch (cause) {
    throw isSystemError(cause) ? unread(path, cause) : cause;
  }
}

function unread(path: string, cause: NodeJS.ErrnoException): AppError {
  return new AppError(
    'usage/invalid',
    `The file ${path} cannot be read: ${cause.code}. Name one that is there and that this user may read.`,
    { cause },
  );
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
