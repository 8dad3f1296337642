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
  /**
   * Reads the index files that came since they were last loaded; false, and nothing is read, where one that was loaded is gone: what it named may have
   * moved, so the repository has to be opened again. Damage as in `loadIndex`.
   */
  renewIndex(onDamage?: (error: AppError) => void): Promise<boolean>;
  /** Writes an index file that names these packs, each with all its blobs. The packs must be durable already. */
  saveIndex(packs: readonly IndexedPack[]): Promise<IndexId>;
  /** Every index file with its packs. */
  listIndexes(onDamage?: (error: AppError) => void): AsyncIterable<{ id: IndexId; packs: IndexedPack[] }>;
}

export function createIndexes(backend: Backend, masterKey: MasterKey, index: MasterIndex): Indexes {
  const loaded = new Set<IndexId>();
  const listIds = () => Array.fromAsync(backend.list('index'), ({ name }) => parseId<IndexId>(name));
  const read = (ids: readonly IndexId[], onDamage?: (error: AppError) => void) => {
    const load = async (id: IndexId) => ({ id, packs: openIndex(masterKey, id, await backend.load('index', id)) });
    return inParallel(ids, 4, load, (error) => tolerate(error, onDamage));
  };
  const insert = async (ids: readonly IndexId[], onDamage?: (error: AppError) => void) => {
    for await (const { id: indexId, packs } of read(ids, onDamage)) {
      for (const { id, blobs } of packs) index.insertPack(id, blobs);
      loaded.add(indexId);
    }
  };
  const listIndexes: Indexes['listIndexes'] = async function* (onDamage) {
    yield* read(await listIds(), onDamage);
  };
  return {
    listIndexes,
    loadIndex: async (onDamage) => {
      await insert(await listIds(), onDamage);
      return index;
    },
    renewIndex: async (onDamage) => {
      const ids = await listIds();
      const listed = new Set(ids);
      if (loaded.values().some((id) => !listed.has(id))) return false;
      await insert(
        ids.filter((id) => !loaded.has(id)),
        onDamage,
      );
      return true;
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
