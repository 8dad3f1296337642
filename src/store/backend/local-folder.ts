import { randomBytes } from 'node:crypto';
import { open, readFile, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { faultWords } from './local-error.ts';

/** The state of a folder in which files are to be kept. */
export interface FolderFacts {
  folder: string;
  exists: boolean;
  /** What keeps it from being used, and the cure, worded to follow its name: "is mounted read-only. Remount it for writing". */
  fault?: string;
  freeBytes?: number;
  totalBytes?: number;
  /** How long one small file took to be written, synced, read and removed. */
  tripMs?: number;
}

/** Looks at a folder and takes one small file through it. Nothing is left behind, and a missing folder stays missing. */
export async function inspectFolder(folder: string, elapsed: () => number): Promise<FolderFacts> {
  try {
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => unlessMissing(error));
    if (found === undefined) return { folder, exists: false };
    if (!found.isDirectory()) return { folder, exists: true, fault: 'is a file. Point the setting to a folder' };
    const { bavail, blocks, bsize } = await statfs(folder);
    const began = elapsed();
    await takeTrip(join(folder, `.nightkeep-doctor-${randomBytes(6).toString('hex')}`));
    const tripMs = Math.round(elapsed() - began);
    return { folder, exists: true, freeBytes: bavail * bsize, totalBytes: blocks * bsize, tripMs };
  } catch (error) {
    return { folder, exists: true, fault: faultWords(error) };
  }
}

async function takeTrip(path: string): Promise<void> {
  const bytes = randomBytes(4_096);
  try {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(bytes);
    await file.sync();
    if (!(await readFile(path)).equals(bytes))
      throw new Error('The file was read differently from how it was written.');
  } finally {
    await rm(path, { force: true });
  }
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
