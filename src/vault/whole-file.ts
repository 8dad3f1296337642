import { randomUUID } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import type { Sink } from './sealed-texts.ts';

/**
 * Writes a file, which is there whole once `work` is done, or not at all, and readable by this user only. One that is there is replaced,
 * where a link leads to as well; a device or a pipe is not. Throws `usage/invalid` where it cannot be written, `store/full` where there
 * is no room.
 */
export async function writeFileWhole(path: string, work: (sink: Sink) => Promise<void>): Promise<void> {
  let temporary: string | undefined;
  try {
    const target = await placeOf(path);
    temporary = `${target}.${randomUUID()}.part`;
    await using file = await open(temporary, 'wx', 0o600);
    // All of it: where the disk is nearly full, a write may take a part and say so only by its length.
    await work((bytes) => file.writeFile(bytes));
    await file.sync();
    await rename(temporary, target);
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => undefined);
    throw isSystemError(error) ? unwritten(path, error) : error;
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
