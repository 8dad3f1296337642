import type { TreeId } from '../format/ids.ts';
import { decodeTree, type Tree } from '../format/tree.ts';
import type { Blobs } from './blobs.ts';
import { createCache } from './cache.ts';

type Reader = Pick<Blobs, 'loadTree' | 'loadBlobs'>;

const keptBytes = 16 * 1024 * 1024;
/** Folders asked for together; their trees lie beside each other in a pack as a rule. */
const together = 64;

/**
 * Loads trees for who walks them all: with the first of some sibling folders come the others, in one read of the store
 * instead of one for each. Throws as `loadTree`.
 */
export function openTreeReadAhead({ loadTree, loadBlobs }: Reader): Blobs['loadTree'] {
  const siblings = createCache<TreeId, readonly TreeId[]>(keptBytes);
  const ahead = createCache<TreeId, Buffer>(keptBytes);
  const underWay = new Map<readonly TreeId[], Promise<void>>();

  /** A tree that does not come whole is left to `loadTree`, which says what is wrong. */
  async function readGroup(ids: readonly TreeId[]): Promise<void> {
    for await (const blob of loadBlobs('tree', ids)) {
      if ('bytes' in blob) ahead.set(blob.id as TreeId, blob.bytes, blob.bytes.length);
    }
  }

  async function readAhead(id: TreeId): Promise<void> {
    const group = siblings.get(id);
    if (group === undefined || ahead.get(id) !== undefined) return;
    const reading = underWay.get(group) ?? readGroup(group).finally(() => underWay.delete(group));
    underWay.set(group, reading);
    await reading;
  }

  function noteFolders(tree: Tree): void {
    const folders = tree.nodes.flatMap((node) => (node.type === 'dir' ? [node.subtree] : []));
    for (let at = 0; at < folders.length; at += together) {
      const group = folders.slice(at, at + together);
      for (const id of group) siblings.set(id, group, 100);
    }
  }

  return async (id) => {
    await readAhead(id);
    const bytes = ahead.get(id);
    const tree = bytes === undefined ? await loadTree(id) : decodeTree(bytes);
    noteFolders(tree);
    return tree;
  };
}
