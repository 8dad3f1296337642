import { readFile } from 'node:fs/promises';
import { AppError, codeIn } from '../errors.ts';

/** The recovery key in the file that `--recovery-key-file` names. Throws `usage/invalid` where it cannot be read. */
export async function readRecoveryKey(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new AppError(
      'usage/invalid',
      `The file ${file} of --recovery-key-file cannot be read: ${codeIn(cause)}. Name one that is there and that this user may read.`,
      { cause },
    );
  }
}
