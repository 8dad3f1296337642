import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopUnusedDatabase } from '../src/database/server/embedded.ts';

const prefix = 'nightkeep-demo-';

/** A new folder for a demo that keeps nothing. Those of demos that were killed go, and so do their databases, which nobody else ends. */
export async function makeTemporaryFolder(): Promise<string> {
  for (const name of await readdir(tmpdir())) if (isOfKilled(name)) await clear(join(tmpdir(), name));
  return mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
}

function isOfKilled(name: string): boolean {
  const [, pid] = /^nightkeep-demo-(\d+)-/.exec(name) ?? [];
  if (pid === undefined) return false;
  try {
    return !process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Anybody may make folders of that name there: those of others are theirs. */
async function clear(folder: string): Promise<void> {
  try {
    const { uid } = await lstat(folder);
    if (uid !== process.getuid?.()) return;
    await stopUnusedDatabase(join(folder, 'postgres'));
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    console.error(
      `What a demo that was killed left in ${folder} stays: ${error instanceof Error ? error.message : error}`,
    );
  }
}
