import { countWords } from '../../count-words.ts';
import { isAppError } from '../../errors.ts';
import { piecesOf } from '../../pieces.ts';
import { envelopeOverhead } from '../format/envelope.ts';
import type { TreeId } from '../format/ids.ts';
import type { DirNode, FileNode, Node } from '../format/node.ts';
import { decodeTreeInPieces, encodeTreeInPieces, isSafeName, type Tree, twinsIn } from '../format/tree.ts';
import type { LoadedBlob } from './blobs.ts';
import type { Finding } from './finding.ts';
import type { Repository } from './repository.ts';
import type { SavedSnapshot } from './snapshots.ts';

/** How many trees are loaded together: usually they lie beside each other in a pack. */
const together = 32;

/** Reads every tree that the snapshots reach, each once, and checks whether everything that it names exists. Calls `onFile` with each file that is intact. */
export async function* checkTrees(
  repository: Repository,
  snapshots: readonly SavedSnapshot[],
  { signal, onFile }: { signal?: AbortSignal; onFile?: (node: FileNode) => void },
): AsyncGenerator<Finding> {
  const seen = new Uint8Array(repository.index.size);
  const waiting = snapshots.map(({ snapshot }) => snapshot.tree);
  const onDir = ({ subtree }: DirNode) => void waiting.push(subtree);
  while (waiting.length > 0) {
    const group: TreeId[] = [];
    for (const id of waiting.splice(-together)) {
      const position = repository.index.position('tree', id);
      if (position === undefined) yield notIndexed(id);
      else if (!seen[position]) group.push(id);
      if (position !== undefined) seen[position] = 1;
    }
    let next = 0;
    for await (const loaded of repository.loadBlobs('tree', group)) {
      signal?.throwIfAborted();
      const id = group[next++];
      if (id !== undefined) yield* checkTree(repository, id, loaded, { onDir, onFile });
    }
  }
}

/** Checks one tree and its nodes; calls `onDir` with each folder in it, and `onFile` with each file that is intact. */
async function* checkTree(
  repository: Repository,
  id: TreeId,
  loaded: LoadedBlob,
  { onDir, onFile }: { onDir: (node: DirNode) => void; onFile: ((node: FileNode) => void) | undefined },
): AsyncGenerator<Finding> {
  const { tree, findings } = await readTree(repository, id, loaded);
  yield* findings;
  for await (const nodes of piecesOf(tree.nodes))
    for (const node of nodes) {
      const found = [...checkNode(repository, id, node)];
      yield* found;
      if (node.type === 'dir') onDir(node);
      if (node.type === 'file' && found.length === 0) onFile?.(node);
    }
}

function notIndexed(id: TreeId): Finding {
  const message = `The tree ${id} is in no index of the repository.`;
  return { kind: 'blob-missing', severity: 'error', blobs: [{ type: 'tree', id }], message };
}

async function readTree(
  repository: Repository,
  id: TreeId,
  loaded: LoadedBlob,
): Promise<{ tree: Tree; findings: Finding[] }> {
  const named = { severity: 'error', blobs: [{ type: 'tree', id }] } as const;
  try {
    if ('error' in loaded) throw loaded.error;
    const tree = await decodeTreeInPieces(loaded.bytes);
    return { tree, findings: (await isCanonical(tree, id)) ? [] : [notCanonical(id)] };
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
    const at = repository.index.find('tree', id);
    const pack = at === undefined ? {} : { packId: at.packId };
    return { tree: { nodes: [] }, findings: [{ kind: 'tree-damaged', message: error.message, ...named, ...pack }] };
  }
}

/** Names that occur twice cannot be encoded at all, nor can what is not understood, which is reported as such. */
async function isCanonical(tree: Tree, id: TreeId): Promise<boolean> {
  if (tree.nodes.some(({ type }) => type === 'unreadable')) return true;
  return twinsIn(tree.nodes).size === 0 && (await encodeTreeInPieces(tree)).id === id;
}

function notCanonical(id: TreeId): Finding {
  const message = `The tree ${id} is not in canonical form: newer programs may refuse to rewrite it.`;
  return { kind: 'tree-not-canonical', severity: 'hint', message };
}

function* checkNode({ index }: Repository, tree: TreeId, node: Node): Generator<Finding> {
  const blobs = [{ type: 'tree', id: tree }] as const;
  if (!isSafeName(node.name)) {
    const message = `The tree ${tree} holds a name that no folder can hold: ${JSON.stringify(node.name)}.`;
    yield { kind: 'tree-damaged', severity: 'error', blobs, message };
  }
  if (node.type === 'unreadable') {
    const message = `The tree ${tree} holds an entry that is not understood: ${JSON.stringify(node.name)}.`;
    yield { kind: 'tree-damaged', severity: 'error', blobs, message };
  }
  if (node.type !== 'file') return;
  const missing = node.content.filter((id) => !index.has('data', id)).map((id) => ({ type: 'data', id }) as const);
  if (missing.length > 0) {
    const message = `A file needs the data blob ${missing[0]?.id}, which is in no index of the repository.`;
    yield { kind: 'blob-missing', severity: 'error', blobs: missing, message };
  } else if (sizeOfContent(index, node) !== node.size) {
    const message = `The tree ${tree} gives a size of ${countWords(node.size, 'byte')} that its file's content does not have.`;
    yield { kind: 'tree-damaged', severity: 'error', message };
  }
}

function sizeOfContent(index: Repository['index'], { content }: FileNode): number {
  return content.reduce((sum, id) => {
    const at = index.find('data', id);
    return sum + (at?.uncompressedLength ?? (at?.length ?? 0) - envelopeOverhead);
  }, 0);
}
