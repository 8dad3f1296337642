import { isAppError } from '../../errors.ts';
import { piecesOf } from '../../pieces.ts';
import type { TreeId } from '../format/ids.ts';
import type { FileNode, Node } from '../format/node.ts';
import type { Tree } from '../format/tree.ts';
import type { ArchiveRepository, KnownBlobs } from './contract.ts';

/** What reading the parent takes of a repository. */
type Reads = Pick<ArchiveRepository, 'loadTree'> & { readonly index: Pick<KnownBlobs, 'has'> };

/** The nodes of a folder of the parent snapshot by name; undefined where there is no such folder, or none that can still be read. */
export async function loadParentNodes(
  repository: Reads,
  subtree: TreeId | undefined,
): Promise<ReadonlyMap<string, Node> | undefined> {
  const tree = subtree === undefined ? undefined : await findTree(repository, subtree);
  return tree && nodesByName(tree.nodes);
}

/** A large folder's in pieces. */
export async function nodesByName(nodes: Iterable<Node>): Promise<Map<string, Node>> {
  const named = new Map<string, Node>();
  for await (const piece of piecesOf(nodes)) for (const node of piece) named.set(node.name, node);
  return named;
}

/** Whether the repository still holds everything of the file, so that its node can stand in another snapshot. */
export function holdsFile({ index }: Pick<Reads, 'index'>, node: FileNode): boolean {
  return node.content.every((id) => index.has('data', id));
}

/** What there is below a tree of the parent, as far as its trees can be read. */
export interface Below {
  readonly files: number;
  readonly dirs: number;
  /** Of all files. */
  readonly bytes: number;
  /** Whether the repository still holds all of it. */
  readonly isWhole: boolean;
}

/** Counts what is below a tree of the parent. */
export type CountBelow = (tree: TreeId) => Promise<Below>;

/** So many are remembered, in some 6 MB; what is counted first is forgotten first. */
const mostCounts = 32_768;

/**
 * Reads each tree once, however many of those above it are asked for as well. What misses something is counted anew each time: that may have
 * been stored since.
 */
export function openCountBelow(repository: Reads): CountBelow {
  const counted = new Map<TreeId, Below>();
  function remember(id: TreeId, below: Below): void {
    counted.set(id, below);
    const [oldest] = counted.keys();
    if (counted.size > mostCounts && oldest !== undefined) counted.delete(oldest);
  }
  async function countBelow(id: TreeId): Promise<Below> {
    const known = counted.get(id);
    if (known !== undefined) return known;
    const tree = await findTree(repository, id);
    const below = { files: 0, dirs: 0, bytes: 0, isWhole: tree !== undefined };
    for await (const piece of piecesOf(tree?.nodes ?? []))
      for (const node of piece) {
        if (node.type === 'dir') addDir(below, await countBelow(node.subtree));
        else if (node.type === 'file') addFile(below, { size: node.size, isHeld: holdsFile(repository, node) });
        else if (node.type === 'unreadable') below.isWhole = false;
      }
    if (below.isWhole) remember(id, below);
    return below;
  }
  return countBelow;
}

type Counting = { -readonly [Name in keyof Below]: Below[Name] };

function addDir(below: Counting, { files, dirs, bytes, isWhole }: Below): void {
  below.files += files;
  below.dirs += dirs + 1;
  below.bytes += bytes;
  below.isWhole &&= isWhole;
}

function addFile(below: Counting, { size, isHeld }: { size: number; isHeld: boolean }): void {
  below.files++;
  below.bytes += size;
  below.isWhole &&= isHeld;
}

/** How many files there are in a node of the parent and below it, as far as its trees can be read. */
export async function countFiles(countBelow: CountBelow, node: Node): Promise<number> {
  if (node.type !== 'dir') return node.type === 'file' ? 1 : 0;
  return (await countBelow(node.subtree)).files;
}

/** The tree, where the repository holds it whole. */
export async function findTree({ index, loadTree }: Reads, id: TreeId): Promise<Tree | undefined> {
  if (!index.has('tree', id)) return undefined;
  try {
    return await loadTree(id);
  } catch (error) {
    if (isAppError(error, 'repository/damaged')) return undefined;
    throw error;
  }
}
