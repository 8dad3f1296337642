import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AppError, codeIn } from '../errors.ts';
import { makeFolders } from '../make-folders.ts';
import { placeOnce } from '../place-once.ts';
import { readText } from './environment.ts';

/** Where the keyring is kept that the first start makes. */
export const keyringFile = (dataDir: string) => join(dataDir, 'keyring');

/** The keyring that an earlier start made, or undefined. */
export function findKeyring(dataDir: string): string | undefined {
  const file = keyringFile(dataDir);
  return existsSync(file) ? readText(`The keyring is kept in ${file}`, file) : undefined;
}

/** Without a KEYRING the first start makes one, readable by this user only; of several that start at once, one. */
export function makeKeyring(dataDir: string): string {
  const file = keyringFile(dataDir);
  try {
    // Those above are others' too: the embedded PostgreSQL of root has another user.
    makeFolders(dirname(resolve(dataDir)));
    makeFolders(dataDir, 0o700);
    placeOnce(file, `k1:${randomBytes(32).toString('base64url')}\n`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = codeIn(cause);
    const cure =
      code === 'ENOSPC' || code === 'EDQUOT'
        ? 'Make room there, or name a DATA_DIR on a larger disk.'
        : 'Make DATA_DIR a folder that this user may write to.';
    throw new AppError('config/invalid', `The keyring cannot be made in ${dataDir}: ${code}. ${cure}`, { cause });
  }
}
