import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * Where an outside program (a name on the PATH, or the absolute path of a file such as a server's module) stands.
 * Missing: throws in CI; elsewhere says so loudly, with the command that installs it, and answers undefined, for
 * `describe.skipIf(program === undefined)`.
 */
export function requireProgram(name: string, installCommand: string): string | undefined {
  const found = candidates(name).find(isThere);
  if (found !== undefined) return found;
  const message = `${name} is missing. Install it with: ${installCommand}`;
  if (process.env.CI) throw new Error(message);
  process.stderr.write(`\n!!! SKIPPED: ${message}\n\n`);
  return undefined;
}

/** Servers live in sbin, which is not on everybody's PATH. */
function candidates(name: string): string[] {
  if (isAbsolute(name)) return [name];
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.filter((folder) => folder !== '').map((folder) => join(folder, name));
}

function isThere(path: string): boolean {
  try {
    accessSync(path, isAbsolute(path) && path.endsWith('.so') ? constants.R_OK : constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
