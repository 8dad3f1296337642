import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import type { PackId, TreeId } from '../format/ids.ts';
import { fileExists } from './exists.ts';
import type { Repository } from './repository.ts';

/** How many packs that are not listed are looked for by name. */
const lookedFor = 20;

/**
 * The packs of a repository, its index loaded, from which this folder cannot be read, and all that the index names and that are gone or empty. Throws
 * `store/unavailable` where one is there that the store does not list: then nothing is known of the others.
 */
export async function listLostPacks(
  { backend, index }: Pick<Repository, 'backend' | 'index'>,
  tree: TreeId,
): Promise<PackId[]> {
  const sizes = new Map((await Array.fromAsync(backend.list('data'))).map(({ name, size }) => [name, size]));
  const indexed = Array.from(index.packs(), ({ id }) => id);
  const gone = indexed.filter((id) => !sizes.has(id));
  const empty = indexed.filter((id) => sizes.get(id) === 0);
  for (const id of gone.slice(0, lookedFor))
    if (await fileExists(backend, 'data', id))
      throw new AppError(
        'store/unavailable',
        `The store does not list the pack ${id.slice(0, 8)}, though it has it. Nothing was written; it is tried again later.`,
        { detail: { packId: id }, retry: { afterMs: minuteMs } },
      );
  return [...new Set([...gone, ...empty, ...index.findAll('tree', tree).map(({ packId }) => packId)])];
}
