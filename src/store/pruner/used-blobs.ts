import { AppError } from '../../errors.ts';
import type { BlobId, BlobType, TreeId } from '../format/ids.ts';
import type { Tree } from '../format/tree.ts';
import type { Repository } from '../repository/repository.ts';
import { openTreeReadAhead } from '../repository/tree-read-ahead.ts';

/** The blobs that snapshots reach, as a mark at the position of each in the repository's index. */
export interface UsedBlobs {
  has(type: BlobType, id: BlobId): boolean;
  readonly count: number;
}

/**
 * Walks every tree that these roots reach, each once. Throws `repository/damaged` where anything that is reached is missing:
 * what a damaged repository needs cannot be told, so that nothing may be removed from it. `visit` sees each tree.
 */
export async function findUsedBlobs(
  repository: Pick<Repository, 'index' | 'loadBlob' | 'loadBlobs'>,
  roots: Iterable<TreeId>,
  { signal, visit }: { signal?: AbortSignal | undefined; visit?: (id: TreeId, tree: Tree) => unknown } = {},
): Promise<UsedBlobs> {
  const { index } = repository;
  const marks = new Uint8Array(index.size);
  const loadTree = openTreeReadAhead(repository);
  let count = 0;

  /** Whether it was marked now, and not before. */
  function mark(type: BlobType, id: BlobId): boolean {
    const position = index.position(type, id);
    if (position === undefined) throw missing(type, id);
    if (marks[position] === 1) return false;
    marks[position] = 1;
    count += 1;
    return true;
  }

  const waiting = [...roots];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    signal?.throwIfAborted();
    if (!mark('tree', id)) continue;
    const tree = await loadTree(id);
    visit?.(id, tree);
    for (const node of tree.nodes) {
      if (node.type === 'dir') waiting.push(node.subtree);
      if (node.type === 'file') for (const blob of node.content) mark('data', blob);
    }
  }
  return { count, has: (type, id) => marks[index.position(type, id) ?? -1] === 1 };
}

function missing(type: BlobType, blobId: BlobId): AppError {
  return new AppError(
    'repository/damaged',
    `A snapshot needs the ${type} blob ${blobId}, which no index names. Nothing was removed: nightkeep check says what else is damaged, nightkeep repair what can be repaired.`,
    { detail: { type, blobId } },
  );
}
