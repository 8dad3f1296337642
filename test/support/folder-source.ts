import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member, Source } from '../../src/sources/source.ts';

/** A folder of this machine as a source, for tests: its files and folders, nothing else. */
export function folderSource(name: string, folder: string): Source {
  const traffic = { requests: 0, bytes: 0 };
  return {
    name,
    traffic,
    root: { kind: 'collection', name, location: folder },
    list: async ({ location }) => ({ members: await membersOf(location), problems: [] }),
    open: async ({ location }) => {
      traffic.requests++;
      const { size, mtime } = await lstat(location);
      return { size, modified: mtime, body: createReadStream(location) };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function membersOf(folder: string): Promise<Member[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const kept = entries.filter((entry) => entry.isFile() || entry.isDirectory());
  return Promise.all(
    kept.map(async (entry): Promise<Member> => {
      const location = join(folder, entry.name);
      const { size, mtime } = await lstat(location);
      const common = { name: entry.name, location, modified: mtime };
      return entry.isDirectory() ? { kind: 'collection', ...common } : { kind: 'entry', size, ...common };
    }),
  );
}
