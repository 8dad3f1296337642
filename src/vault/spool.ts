import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Sealed values on this machine's own disk, for the moments between an answer of the provider and its commit: what
 * the provider sent exists nowhere else. It is written without giving way to anything else: a thousand bytes into the
 * system's cache take less time than a turn of the event loop. Names are ids; a value is gone once it is in the database.
 */
export interface Spool {
  readonly folder: string;
  /** Writes the value whole; it outlives this process. Rejects where the disk is full or read-only. */
  keep(name: string, sealed: Uint8Array): Promise<void>;
  /** Makes what was kept outlive a loss of power too. */
  flush(name: string): Promise<void>;
  /** Forgets the value; harmless when it is gone already. */
  drop(name: string): Promise<void>;
  /** What is kept, oldest name first; values that another process drops meanwhile are left out. */
  list(): Promise<{ name: string; sealed: Uint8Array }[]>;
}

const ending = '.sealed';
const nameShape = /^[\w-]{1,64}$/;

/** Opens the spool in a folder that is made when it is first needed, readable by this user only. */
export function openSpool(folder: string): Spool {
  const path = (name: string) => {
    if (!nameShape.test(name)) throw new Error('A spool keeps values under ids only.');
    return join(folder, name + ending);
  };
  return {
    folder,
    keep: async (name, sealed) => {
      const write = () => writeFileSync(path(name), sealed, { mode: 0o600 });
      try {
        write();
      } catch (error) {
        whenMissing(error, undefined);
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        write();
      }
    },
    flush: async (name) => {
      await sync(path(name));
      await sync(folder);
    },
    drop: async (name) => rmSync(path(name), { force: true }),
    list: async () => {
      const files = await readdir(folder).catch((error: unknown) => whenMissing(error, []));
      const names = files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));
      const found = await Promise.all(
        names
          .filter((name) => nameShape.test(name))
          .sort()
          .map(async (name) => {
            const sealed = await readFile(path(name)).catch((error: unknown) => whenMissing(error, undefined));
            return sealed === undefined ? [] : [{ name, sealed: new Uint8Array(sealed) }];
          }),
      );
      return found.flat();
    },
  };
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

function whenMissing<T>(error: unknown, instead: T): T {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return instead;
  throw error;
}
