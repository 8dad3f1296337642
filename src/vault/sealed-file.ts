import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { AppError } from '../errors.ts';
import type { Keyring } from './keyring.ts';
import { purposes } from './purposes.ts';
import { seal, unseal } from './seal.ts';

const magic = 'nightkeep state 1';
const headerBytes = magic.length + 1 + 36 + 1;
/** A part has some hundred rows; a length beyond that is no part of an export. */
const mostBytes = 256 * 1024 * 1024;

export interface SealedWriter {
  write(text: string): Promise<void>;
}

/**
 * Writes texts into a file, each sealed and bound to this file and to its number, so that none may be left out, repeated or put elsewhere.
 * The file is there whole once `work` is done, or not at all, and readable by this user only.
 */
export async function writeSealedFile(
  keyring: Keyring,
  path: string,
  work: (writer: SealedWriter) => Promise<void>,
): Promise<void> {
  const id = randomUUID();
  const temporary = `${path}.${id}.part`;
  try {
    await using file = await open(temporary, 'wx', 0o600);
    await file.write(`${magic} ${id}\n`);
    let number = 0;
    await work({
      write: async (text) => {
        const { sealed } = seal(keyring, purposes.exportedState(id, number), gzipSync(text));
        number += 1;
        const length = Buffer.alloc(4);
        length.writeUInt32BE(sealed.length);
        await file.writev([length, sealed]);
      },
    });
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw isSystemError(error)
      ? new AppError('usage/invalid', `The file ${path} cannot be written: ${error.code}.`, { cause: error })
      : error;
  }
}

/**
 * Reads these texts again, in their order. Throws `request/invalid` for what is no export, `seal/unknown-key` for another keyring, and
 * `seal/broken` where the file was altered. That none is missing at the end is for the reader to see.
 */
export async function* readSealedFile(keyring: Keyring, path: string): AsyncGenerator<string> {
  await using file = await open(path, 'r').catch((cause: unknown) => {
    throw new AppError('usage/invalid', `The file ${path} cannot be read.`, { cause });
  });
  const [, id] = /^nightkeep state 1 ([0-9a-f-]{36})\n$/.exec((await read(file, headerBytes))?.toString() ?? '') ?? [];
  if (id === undefined) throw new AppError('request/invalid', `The file ${path} is no export of Nightkeep.`);
  for (let number = 0; ; number += 1) {
    const length = (await read(file, 4))?.readUInt32BE();
    if (length === undefined) return;
    const sealed = length > mostBytes ? undefined : await read(file, length);
    if (sealed === undefined) throw cutOff();
    yield gunzipSync(unseal(keyring, purposes.exportedState(id, number), sealed)).toString();
  }
}

/** An export that ends before its end. */
export function cutOff(): AppError {
  return new AppError('request/invalid', 'The export is cut off, so nothing was imported. Take another copy of it.');
}

async function read(file: FileHandle, length: number): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length);
  return bytesRead === length ? bytes : undefined;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
