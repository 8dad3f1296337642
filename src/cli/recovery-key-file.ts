import { readFile } from 'node:fs/promises';
import { AppError } from '../errors.ts';

/** The recovery key in the file that `--recovery-key-file` names. Throws `usage/invalid` where it cannot be read. */
export async function readRecoveryKey(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new AppError('usage/invalid', `The file ${file} of --recovery-key-file cannot be read.`, { cause });
  }
}
