import { AppError, isAppError } from '../../errors.ts';
import { piecesOf } from '../../pieces.ts';
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
   * `repository/damaged` is thrown. `listed` are those that are there, for who has listed them.
   */
  loadIndex(onDamage?: (error: AppError) => void, listed?: readonly IndexId[]): Promise<MasterIndex>;
  /**
   * Reads the index files that came since they were last loaded; false, and nothing is read, where one that was loaded is gone: what it named may have
   * moved, so the repository has to be opened again. Damage as in `loadIndex`.
   */
  renewIndex(onDamage?: (error: AppError) => void): Promise<boolean>;
  /** Reads the index files that came since, whatever else is gone; false where none did. */
  readNewIndexes(): Promise<boolean>;
  /** Writes an index file that names these packs, each with all its blobs. The packs must be durable already. */
  saveIndex(packs: readonly IndexedPack[]): Promise<IndexId>;
  /** Every index file with its packs. */
  listIndexes(onDamage?: (error: AppError) => void): AsyncIterable<{ id: IndexId; packs: IndexedPack[] }>;
}

/** Of some hundred blobs each. */
const packsAtOnce = 16;

/** What packs `without` hold counts as unknown. */
export function createIndexes(
  backend: Backend,
  masterKey: MasterKey,
  index: MasterIndex,
  without: ReadonlySet<string> = new Set(),
): Indexes {
  const loaded = new Set<IndexId>();
  const listIds = () => Array.fromAsync(backend.list('index'), ({ name }) => parseId<IndexId>(name));
  const read = (ids: readonly IndexId[], { onDamage, onGone }: Failures) => {
    const load = async (id: IndexId) => ({
      id,
      packs: await openIndex(masterKey, id, await backend.load('index', id)),
    });
    return inParallel(ids, 4, load, (error) => {
      if (isAppError(error, 'store/not-found')) return onGone();
      if (!isAppError(error, 'repository/damaged')) throw error;
      if (onDamage === undefined)
        throw new AppError(error.code, `${error.message} nightkeep repair repairs it.`, { cause: error });
      onDamage(error);
    });
  };
  /** One that vanished since it was listed was replaced by a prune: what it named is named by one that was not listed yet. */
  const insert = async (first: readonly IndexId[], onDamage?: (error: AppError) => void): Promise<void> => {
    const tried = new Set<IndexId>();
    for (let ids = first; ids.length > 0; ) {
      let isOld = false;
      const onGone = () => {
        isOld = true;
      };
      for (const id of ids) tried.add(id);
      for await (const { id: indexId, packs } of read(ids, { onDamage, onGone })) {
        for await (const piece of piecesOf(packs, packsAtOnce))
          for (const { id, blobs } of piece) if (!without.has(id)) index.insertPack(id, blobs);
        loaded.add(indexId);
      }
      ids = isOld ? (await listIds()).filter((id) => !tried.has(id) && !loaded.has(id)) : [];
    }
  };
  const listIndexes: Indexes['listIndexes'] = async function* (onDamage) {
    yield* read(await listIds(), { onDamage, onGone: () => undefined });
  };
  return {
    listIndexes,
    loadIndex: async (onDamage, listed) => {
      await insert(listed ?? (await listIds()), onDamage);
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
    readNewIndexes: async () => {
      const fresh = (await listIds()).filter((id) => !loaded.has(id));
      await insert(fresh, () => undefined);
      return fresh.some((id) => loaded.has(id));
    },
    saveIndex: async (packs) => {
      const { id, bytes } = sealIndex(masterKey, packs);
      await backend.save('index', id, bytes);
      loaded.add(id);
      return id;
    },
  };
}

interface Failures {
  readonly onDamage: ((error: AppError) => void) | undefined;
  readonly onGone: () => void;
}
