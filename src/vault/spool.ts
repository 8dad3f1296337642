import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hourMs } from '../durations.ts';
import { makeFolders } from '../make-folders.ts';

/**
 * Sealed values on this machine's own disk, for the moments between an answer of the provider and its commit: what
 * the provider sent exists nowhere else. It is written without giving way to anything else: a thousand bytes into the
 * system's cache take less time than a turn of the event loop. Names are ids; a value is gone once it is in the database.
 */
export interface Spool {
  readonly folder: string;
  /** Writes the value, whole or not at all; it outlives this process. Rejects where the disk is full or read-only. */
  keep(name: string, sealed: Uint8Array): Promise<void>;
  /** Makes what was kept outlive a loss of power too. */
  flush(name: string): Promise<void>;
  /** Forgets the value; harmless when it is gone already. */
  drop(name: string): Promise<void>;
  /** What is kept, oldest name first; values that another process drops meanwhile are left out. */
  list(): Promise<{ name: string; sealed: Uint8Array }[]>;
  /** Removes the empty files of processes that ended long ago. */
  tidy(now: Date): Promise<void>;
}

const ending = '.sealed';
const nameShape = /^[\w-]{1,64}$/;

const spareEnding = '.spare';
const abandonedMs = hourMs;

/** An open file that goes by the name of the value it holds, and by a name of its own while it is empty. */
interface Slot {
  descriptor: number;
  spare: string;
}

/** The spool of an installation, below its DATA_DIR. */
export function openSpoolBelow(dataDir: string): Spool {
  return openSpool(join(dataDir, 'spool'));
}

/**
 * Opens the spool in a folder that is made when it is first needed, readable by this user only. A file whose value is
 * dropped is emptied and used again: making, closing and deleting hundreds a second is expensive on some file systems.
 */
export function openSpool(folder: string): Spool {
  const spares: Slot[] = [];
  const filled = new Map<string, Slot>();
  const path = (name: string) => {
    if (!nameShape.test(name)) throw new Error('A spool keeps values under ids only.');
    return join(folder, name + ending);
  };
  const openSlot = (): Slot => {
    const spare = join(folder, randomUUID() + spareEnding);
    const make = () => ({ spare, descriptor: openSync(spare, 'wx', 0o600) });
    try {
      return make();
    } catch (error) {
      whenMissing(error, undefined);
      makeFolders(folder, 0o700);
      return make();
    }
  };
  const fill = (slot: Slot, name: string, sealed: Uint8Array) => {
    try {
      writeWhole(slot.descriptor, sealed);
      renameSync(slot.spare, path(name));
      filled.set(name, slot);
    } catch (error) {
      closeSync(slot.descriptor);
      rmSync(slot.spare, { force: true });
      throw error;
    }
  };
  return {
    folder,
    keep: async (name, sealed) => {
      const spare = spares.pop();
      if (spare === undefined) return fill(openSlot(), name, sealed);
      try {
        fill(spare, name, sealed);
      } catch (error) {
        // Whoever tidies up may take an empty file away.
        whenMissing(error, undefined);
        fill(openSlot(), name, sealed);
      }
    },
    flush: async (name) => {
      await sync(path(name));
      await sync(folder);
    },
    drop: async (name) => {
      const slot = filled.get(name);
      filled.delete(name);
      if (slot === undefined) return rmSync(path(name), { force: true });
      try {
        renameSync(path(name), slot.spare);
        ftruncateSync(slot.descriptor);
        spares.push(slot);
      } catch (error) {
        closeSync(slot.descriptor);
        whenMissing(error, undefined);
      }
    },
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
    tidy: async (now) => {
      const files = await readdir(folder).catch((error: unknown) => whenMissing(error, []));
      for (const file of files.filter((file) => file.endsWith(spareEnding))) {
        const { mtimeMs } = await stat(join(folder, file)).catch((error: unknown) =>
          whenMissing(error, { mtimeMs: Number.NaN }),
        );
        if (now.getTime() - mtimeMs > abandonedMs) await rm(join(folder, file), { force: true });
      }
    },
  };
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; )
    written += writeSync(descriptor, bytes, written, bytes.length - written, written);
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

function whenMissing<T>(error: unknown, instead: T): T {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return instead;
  throw error;
}
