import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes the folder and those above it that are missing, each with this mode, and answers the first that it made; undefined where the folder was there.
 * By default nobody else may write there, whatever the umask. Throws what the system says (ENOENT, EACCES, EEXIST, ENOTDIR, …). Node's own `recursive` is not used: it tries for
 * ever where a folder that is there answers ENOENT, as those of /proc do.
 */
export function makeFolders(path: string, mode = 0o755): string | undefined {
  const missing: string[] = [];
  let above = resolve(path);
  for (; !existsSync(above) && dirname(above) !== above; above = dirname(above)) missing.unshift(above);
  const made = missing.filter((folder) => makeOne(folder, mode));
  if (missing.length === 0 && !statSync(above).isDirectory()) mkdirSync(above);
  return made[0];
}

/** Whether it had to be made: another process may have been quicker. */
function makeOne(folder: string, mode: number): boolean {
  try {
    mkdirSync(folder, { mode });
    return true;
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return false;
    throw error;
  }
}
