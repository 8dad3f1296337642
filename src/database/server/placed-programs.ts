import { createHash, randomBytes } from 'node:crypto';
import { cp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

const name = 'programs';

/**
 * A copy in `folder` of the programs that a package has in `native`, and where it is. It is made beside its place and moved there when it is whole:
 * of several processes at once each makes its own, and the one that is whole first stays. Other programs have another place.
 */
export async function placePrograms(native: string, folder: string): Promise<string> {
  const place = join(folder, `${name}-${await versionOf(native)}`);
  if (await isThere(place)) return place;
  const draft = `${place}.new-${randomBytes(6).toString('hex')}`;
  try {
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    // What has this name is never looked at again, also where the machine loses its power now.
    await flush(draft);
    await rename(draft, place);
  } catch (error) {
    if (!(await isThere(place))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return place;
}

/** Removes copies of others, whole or not, once the server in this folder runs from `used`: nobody else needs one then. */
export async function removeOtherPrograms(folder: string, used: string): Promise<void> {
  const others = (await readdir(folder)).filter(
    (each) => each.startsWith(name) && !used.startsWith(join(folder, each) + sep),
  );
  for (const other of others) await rm(join(folder, other), { recursive: true, force: true, maxRetries: 5 });
}

/** That of the package, and which files there are: links that were missing may have been made since. */
async function versionOf(native: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'));
  const files = (await readdir(native, { recursive: true })).sort();
  return `${version}-${createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 8)}`;
}

async function flush(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    await using file = await open(join(entry.parentPath, entry.name));
    await file.sync();
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
