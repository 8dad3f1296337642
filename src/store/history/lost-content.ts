import { piecesOf } from '../../pieces.ts';
import type { TreeId } from '../format/ids.ts';
import type { FileNode, Node } from '../format/node.ts';
import type { ReadableRepository } from '../restorer/contract.ts';
import { type Budget, readWithin } from './budget.ts';
import { compareTrees } from './compare.ts';
import { contentOf } from './sight.ts';

type Reads = Pick<ReadableRepository, 'loadTree'>;

/** Files of a folder, and what became of their contents in its later state. */
export interface LostContent {
  /** Files that it had. */
  readonly before: number;
  /** Of these: gone from their place, and their content nowhere else in the folder. */
  readonly gone: number;
  /** Of these: there with another content, and the former one nowhere else. */
  readonly changed: number;
}

/**
 * Counts the files of a folder whose content is nowhere in its later state: what was only moved or renamed is not lost. Files named `beside` are not
 * counted. Undefined where the budget did not reach, a folder is damaged, or more than `mostLost` contents are not where they were.
 */
export async function countLost(
  repository: Reads,
  { before, after }: { readonly before: TreeId | undefined; readonly after: TreeId | undefined },
  { beside, mostLost }: { readonly beside: string | undefined; readonly mostLost: number },
  budget: Budget,
): Promise<LostContent | undefined> {
  const isCounted = ({ name }: FileNode) => name !== beside;
  const lost = new Map<string, { gone: number; changed: number }>();
  let [gone, fresh] = [0, 0];
  for await (const { what, node, before: was } of compareTrees(repository, { before, after }, budget)) {
    const isInPlace = what === 'changed' && was?.type === 'file' && node.type === 'file';
    for await (const file of was === undefined ? [] : filesIn(repository, was, budget)) {
      if (!isCounted(file)) continue;
      const content = contentOf(file);
      const files = lost.get(content) ?? { gone: 0, changed: 0 };
      files[isInPlace ? 'changed' : 'gone']++;
      lost.set(content, files);
      if (!isInPlace) gone++;
      if (lost.size > mostLost) return undefined;
    }
    if (isInPlace || what === 'gone') continue;
    for await (const file of filesIn(repository, node, budget)) if (isCounted(file)) fresh++;
  }
  let left = 0;
  for await (const file of after === undefined ? [] : filesBelow(repository, after, budget)) {
    if (!isCounted(file)) continue;
    left++;
    lost.delete(contentOf(file));
  }
  if (!budget.left() || budget.damaged > 0) return undefined;
  const sum = (one: 'gone' | 'changed') => lost.values().reduce((total, files) => total + files[one], 0);
  return { before: left + gone - fresh, gone: sum('gone'), changed: sum('changed') };
}

/** A folder of which nothing is left. */
interface GoneFolder {
  readonly before: TreeId;
  /** What it is now; absent where it is not there any more. */
  readonly after?: TreeId;
}

/**
 * Of each of these folders that is gone, or holds no file any more: how many files it had whose content is nowhere in `tree`, the later state of all
 * around it; 0 for one that still holds some. Files named `beside` are not counted. Where the budget does not reach, or beyond `mostLost` contents,
 * what is gone from its place counts.
 */
export async function countLostFolders(
  repository: Reads,
  { folders, tree }: { readonly folders: readonly GoneFolder[]; readonly tree: TreeId | undefined },
  { beside, mostLost }: { readonly beside: string | undefined; readonly mostLost: number },
  budget: Budget,
): Promise<number[]> {
  const counts = folders.map(() => 0);
  const places = new Map<string, number[]>();
  for (const [at, { before, after }] of folders.entries()) {
    if (after !== undefined && (await holdsFile(repository, after, { beside, budget }))) continue;
    for await (const file of filesBelow(repository, before, budget)) {
      if (file.name === beside) continue;
      counts[at] = (counts[at] ?? 0) + 1;
      const content = contentOf(file);
      const known = places.get(content);
      if (known !== undefined) known.push(at);
      else if (places.size < mostLost) places.set(content, [at]);
    }
  }
  for await (const file of tree === undefined ? [] : filesBelow(repository, tree, budget)) {
    if (places.size === 0) break;
    const content = contentOf(file);
    for (const at of places.get(content) ?? []) counts[at] = (counts[at] ?? 0) - 1;
    places.delete(content);
  }
  return counts;
}

async function holdsFile(
  repository: Reads,
  tree: TreeId,
  { beside, budget }: { beside: string | undefined; budget: Budget },
): Promise<boolean> {
  for await (const { name } of filesBelow(repository, tree, budget)) if (name !== beside) return true;
  return false;
}

function filesIn(repository: Reads, node: Node, budget: Budget): Iterable<FileNode> | AsyncGenerator<FileNode, void> {
  if (node.type === 'file') return [node];
  return node.type === 'dir' ? filesBelow(repository, node.subtree, budget) : [];
}

async function* filesBelow(repository: Reads, tree: TreeId, budget: Budget): AsyncGenerator<FileNode, void> {
  const nodes = await readWithin(budget, repository, tree);
  if (typeof nodes === 'string') return;
  for await (const piece of piecesOf(nodes))
    for (const node of piece) {
      if (node.type === 'file') yield node;
      else if (node.type === 'dir') yield* filesBelow(repository, node.subtree, budget);
    }
}
