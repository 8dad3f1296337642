import type { TreeId } from '../format/ids.ts';
import { decodeTreeInPieces, type Tree } from '../format/tree.ts';
import type { Blobs } from './blobs.ts';
import { createCache } from './cache.ts';

type Reader = Pick<Blobs, 'loadBlob' | 'loadBlobs'>;

/** Folders asked for together; their trees lie beside each other in a pack as a rule. */
const together = 32;
/** Limits of the siblings that are remembered, and of the bytes read ahead. */
const mostSiblings = 100_000;
const mostAhead = 4 * 1024 * 1024;
/** In place of its siblings for a folder that was loaded: whoever comes back to it does not come for these. */
const alone: readonly TreeId[] = [];

/**
 * Loads trees for callers that walk all of them, each once: the first of some sibling folders brings the others, in one read of the
 * store instead of one for each. For callers that come back to some, `keptBytes` of the last ones are kept, not decoded: objects that are
 * always replaced by others are what collecting garbage costs most for. Throws as `Blobs.loadTree`.
 */
export function openTreeReadAhead({ loadBlob, loadBlobs }: Reader, keptBytes = 0): Blobs['loadTree'] {
  const kept = createCache<TreeId, Buffer>(keptBytes);
  const siblings = createCache<TreeId, readonly TreeId[]>(mostSiblings);
  const underWay = new Map<readonly TreeId[], Promise<void>>();
  const ahead = openAhead();

  /** A tree that was not read whole is left to `loadBlob`, which says what is wrong. */
  async function readGroup(ids: readonly TreeId[]): Promise<void> {
    for await (const blob of loadBlobs('tree', ids)) if ('bytes' in blob) ahead.put(blob.id, blob.bytes);
  }

  async function readAhead(id: TreeId): Promise<void> {
    const group = siblings.get(id);
    if (group === undefined || group === alone || ahead.has(id)) return;
    const reading = underWay.get(group) ?? readGroup(group).finally(() => underWay.delete(group));
    underWay.set(group, reading);
    await reading;
  }

  function noteFolders(tree: Tree): void {
    const folders = tree.nodes.flatMap((node) =>
      node.type === 'dir' && siblings.get(node.subtree) === undefined ? [node.subtree] : [],
    );
    for (let at = 0; at < folders.length; at += together) {
      const group = folders.slice(at, at + together);
      for (const id of group) siblings.set(id, group, 1);
    }
  }

  return async (id) => {
    const known = kept.get(id);
    if (known !== undefined) return decodeTreeInPieces(known);
    await readAhead(id);
    const bytes = ahead.take(id) ?? (await loadBlob('tree', id));
    const tree = await decodeTreeInPieces(bytes);
    kept.set(id, bytes, bytes.length);
    siblings.set(id, alone, 1);
    noteFolders(tree);
    return tree;
  };
}

/** Bytes read ahead, each to be taken once; beyond a limit the oldest are dropped. */
function openAhead() {
  const waiting = new Map<string, Buffer>();
  let bytes = 0;
  function take(id: string): Buffer | undefined {
    const taken = waiting.get(id);
    bytes -= taken?.length ?? 0;
    waiting.delete(id);
    return taken;
  }
  function put(id: string, blob: Buffer): void {
    take(id);
    waiting.set(id, blob);
    bytes += blob.length;
    for (const oldest of waiting.keys()) {
      if (bytes <= mostAhead || oldest === id) return;
      take(oldest);
    }
  }
  return { take, put, has: (id: string) => waiting.has(id) };
}
