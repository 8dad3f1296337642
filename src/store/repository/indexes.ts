import { type AppError, isAppError } from '../../errors.ts';
import type { Backend } from '../backend/backend.ts';
import type { MasterKey } from '../format/envelope.ts';
import { type IndexId, parseId } from '../format/ids.ts';
import { type IndexedPack, openIndex, sealIndex } from '../format/index-file.ts';
import { inParallel } from './in-parallel.ts';
import type { MasterIndex } from './master-index.ts';

/** The index files of a repository. */
export interface Indexes {
  /**
   * Reads all index files into the repository's index. A damaged one goes to `onDamage` and the rest is read; without it,
   * `repository/damaged` is thrown.
   */
  loadIndex(onDamage?: (error: AppError) => void): Promise<MasterIndex>;
  /** Writes an index file that names these packs, each with all its blobs. The packs must be durable already. */
  saveIndex(packs: readonly IndexedPack[]): Promise<IndexId>;
  /** Every index file with its packs. */
  listIndexes(onDamage?: (error: AppError) => void): AsyncIterable<{ id: IndexId; packs: IndexedPack[] }>;
}

export function createIndexes(backend: Backend, masterKey: MasterKey, index: MasterIndex): Indexes {
  const listIndexes: Indexes['listIndexes'] = async function* (onDamage) {
    const ids = await Array.fromAsync(backend.list('index'), ({ name }) => parseId<IndexId>(name));
    const load = async (id: IndexId) => ({ id, packs: openIndex(masterKey, id, await backend.load('index', id)) });
    yield* inParallel(ids, 4, load, (error) => tolerate(error, onDamage));
  };
  return {
    listIndexes,
    loadIndex: async (onDamage) => {
      for await (const { packs } of listIndexes(onDamage)) {
        for (const { id, blobs } of packs) index.insertPack(id, blobs);
      }
      return index;
    },
    saveIndex: async (packs) => {
      const { id, bytes } = sealIndex(masterKey, packs);
      await backend.save('index', id, bytes);
      return id;
    },
  };
}

/** An index that vanished between listing and loading was replaced by a prune; what it named is named elsewhere. */
function tolerate(error: unknown, onDamage: ((error: AppError) => void) | undefined): void {
  if (isAppError(error, 'store/not-found')) return;
  if (onDamage === undefined || !isAppError(error, 'repository/damaged')) throw error;
  onDamage(error);
}
