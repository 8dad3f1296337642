import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import type { Sink } from './sealed-texts.ts';

/** Writes a file, which is there whole once `work` is done, or not at all, and readable by this user only. */
export async function writeFileWhole(path: string, work: (sink: Sink) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await using file = await open(temporary, 'wx', 0o600);
    await work(async (bytes) => void (await file.write(bytes)));
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw isSystemError(error)
      ? new AppError(
          'usage/invalid',
          `The file ${path} cannot be written: ${error.code}. Name one in a folder that is there and that this user may write to.`,
          { cause: error },
        )
      : error;
  }
}

/** The bytes of a file, in pieces. Throws `usage/invalid` where it cannot be read. */
export async function* readPieces(path: string): AsyncGenerator<Buffer> {
  try {
    await using file = await open(path, 'r');
    yield* file.createReadStream({ autoClose: false });
  } catch (cause) {
    throw isSystemError(cause) ? new AppError('usage/invalid', `The file ${path} cannot be read.`, { cause }) : cause;
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
