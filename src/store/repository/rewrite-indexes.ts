import { isAppError } from '../../errors.ts';
import { type IndexId, type PackId, parseId } from '../format/ids.ts';
import { blobsPerIndex, type IndexedPack } from '../format/index-file.ts';
import type { Repository } from './repository.ts';

type Needs = Pick<Repository, 'backend' | 'saveIndex'>;

/** Writes these packs, each of which is on the store, as few index files, and answers how many. */
export async function writeIndexes(
  { saveIndex }: Needs,
  packs: Iterable<IndexedPack>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let written = 0;
  for (const file of inFiles(packs)) {
    signal?.throwIfAborted();
    await saveIndex(file);
    written += 1;
  }
  return written;
}

/** The names of all index files there are. */
export function listIndexes({ backend }: Needs): Promise<IndexId[]> {
  return Array.fromAsync(backend.list('index'), ({ name }) => parseId<IndexId>(name));
}

/** Removes index files whose place others have taken. The caller holds the exclusive lock. */
export async function removeIndexes(
  { backend }: Needs,
  ids: readonly IndexId[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const id of ids) {
    signal?.throwIfAborted();
    await backend.remove('index', id).catch(ignoreGone);
  }
}

/** Removes packs. The caller holds the exclusive lock. */
export async function removePacks(
  { backend }: Pick<Repository, 'backend'>,
  ids: Iterable<PackId>,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const id of ids) {
    signal?.throwIfAborted();
    await backend.remove('data', id).catch(ignoreGone);
  }
}

function* inFiles(packs: Iterable<IndexedPack>): Generator<IndexedPack[]> {
  let file: IndexedPack[] = [];
  let blobs = 0;
  for (const pack of packs) {
    if (file.length > 0 && blobs + pack.blobs.length > blobsPerIndex) {
      yield file;
      file = [];
      blobs = 0;
    }
    file.push(pack);
    blobs += pack.blobs.length;
  }
  if (file.length > 0) yield file;
}

function ignoreGone(error: unknown): void {
  if (!isAppError(error, 'store/not-found')) throw error;
}
