import { isAppError } from '../../errors.ts';
import type { TreeId } from '../format/ids.ts';
import type { FileNode, Node } from '../format/node.ts';
import type { Tree } from '../format/tree.ts';
import type { ArchiveRepository } from './contract.ts';
import { addCounts, type Counts, countDir, countFile, zeroCounts } from './tally.ts';

/** The nodes of a folder of the parent snapshot by name; undefined where there is no such folder, or none that can still be read. */
export async function loadParentNodes(
  repository: ArchiveRepository,
  subtree: TreeId | undefined,
): Promise<ReadonlyMap<string, Node> | undefined> {
  const tree = subtree === undefined ? undefined : await findTree(repository, subtree);
  return tree && new Map(tree.nodes.map((node) => [node.name, node]));
}

/** Whether the repository still holds everything of the file, so that its node can stand in another snapshot. */
export function holdsFile({ index }: ArchiveRepository, node: FileNode): boolean {
  return node.content.every((id) => index.has('data', id));
}

/** The counts of everything below a tree of the parent; undefined when any blob of it is missing. */
export async function countSubtree(repository: ArchiveRepository, subtree: TreeId): Promise<Counts | undefined> {
  const tree = await findTree(repository, subtree);
  if (tree === undefined) return undefined;
  const counts = zeroCounts();
  for (const node of tree.nodes) {
    const part = await countNode(repository, node);
    if (part === undefined) return undefined;
    addCounts(counts, part);
  }
  return counts;
}

async function countNode(repository: ArchiveRepository, node: Node): Promise<Counts | undefined> {
  const counts = zeroCounts();
  if (node.type === 'unreadable') return undefined;
  if (node.type === 'dir') {
    const below = await countSubtree(repository, node.subtree);
    if (below === undefined) return undefined;
    addCounts(counts, below);
    countDir(counts, 'unmodified');
  } else if (node.type === 'file') {
    if (!holdsFile(repository, node)) return undefined;
    countFile(counts, 'unmodified', node.size);
  }
  return counts;
}

/** How many files there are in a node of the parent and below it, as far as its trees can be read. */
export async function countFiles(repository: ArchiveRepository, node: Node): Promise<number> {
  if (node.type !== 'dir') return node.type === 'file' ? 1 : 0;
  let count = 0;
  for (const below of (await findTree(repository, node.subtree))?.nodes ?? [])
    count += await countFiles(repository, below);
  return count;
}

/** The tree, where the repository holds it whole. */
export async function findTree({ index, loadTree }: ArchiveRepository, id: TreeId): Promise<Tree | undefined> {
  if (!index.has('tree', id)) return undefined;
  try {
    return await loadTree(id);
  } catch (error) {
    if (isAppError(error, 'repository/damaged')) return undefined;
    throw error;
  }
}
