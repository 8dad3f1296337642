import { countWords } from '../../count-words.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Backend, FileType } from '../backend/backend.ts';
import { inParallel } from './in-parallel.ts';

/** Keys first, and the card, which holds a password: without them nothing that is left can be opened. */
const types: readonly FileType[] = ['key', 'card', 'config', 'snapshot', 'index', 'data', 'lock'];
const width = 16;

/** What a place holds. */
export interface PlaceContents {
  snapshots: number;
  files: number;
  bytes: number;
}

/** Counts the snapshots of a repository, all its files, and their bytes. */
export async function contentsOf(backend: Backend): Promise<PlaceContents> {
  const contents = { snapshots: 0, files: 0, bytes: 0 };
  for (const type of types)
    for await (const { size } of backend.list(type)) {
      contents.snapshots += type === 'snapshot' ? 1 : 0;
      contents.files += 1;
      contents.bytes += size;
    }
  return contents;
}

/**
 * Removes every file of a repository, the keys first. Throws `store/unavailable` where the store lists any of them afterwards. The next
 * call continues one that was interrupted.
 */
export async function clearPlace(backend: Backend, signal?: AbortSignal): Promise<void> {
  for (const type of types) {
    const names = await Array.fromAsync(backend.list(type), ({ name }) => name);
    const remove = async (name: string) => {
      signal?.throwIfAborted();
      await backend.remove(type, name);
    };
    // Another worker may be clearing it too, and may have removed the file.
    const failed = (error: unknown) => {
      if (!isAppError(error, 'store/not-found')) throw error;
    };
    await Array.fromAsync(inParallel(names, width, remove, failed));
  }
  const { files } = await contentsOf(backend);
  if (files > 0)
    throw new AppError(
      'store/unavailable',
      `The store still lists ${countWords(files, 'file')} of a repository that was removed.`,
    );
  await backend.vacate();
}
