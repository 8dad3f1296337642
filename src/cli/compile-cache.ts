import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeIn } from '../errors.ts';

/**
 * Keeps what is compiled for the next start, in a folder of this user alone: what lies there is run. Where somebody else was there first, nothing is kept. Node.js
 * itself would take a folder of the temporary ones whoever made it, unless NODE_COMPILE_CACHE names another.
 */
export function keepCompiled(): void {
  if (getCompileCacheDir() !== undefined) return;
  const uid = process.getuid?.();
  const folder = join(tmpdir(), `nightkeep-compiled-${uid}`);
  if (isOwn(folder, uid)) enableCompileCache(folder);
}

function isOwn(folder: string, user: number | undefined): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (codeIn(error) !== 'EEXIST') return false;
  }
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === user && (found.mode & 0o077) === 0;
}
