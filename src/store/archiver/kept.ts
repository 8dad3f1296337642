import { piecesOf } from '../../pieces.ts';
import type { DirNode, Node } from '../format/node.ts';
import type { Listing, Problem } from './contract.ts';
import { keepFile } from './entry.ts';
import { pathIn } from './nodes.ts';
import type { Below } from './parent.ts';
import type { Run } from './run.ts';
import { countKeptDir } from './tally.ts';

/** What keeping a copy needs. */
export type Keeping = Pick<Run, 'repository' | 'countBelow' | 'counts' | 'seen'>;

/** The parent's node with all below it counted, where the repository still holds all of it. */
export async function keepFolder(keeping: Keeping, parent: DirNode): Promise<DirNode | undefined> {
  const below = await keeping.countBelow(parent.subtree);
  return below.isWhole ? keepCounted(keeping, parent, below, 'kept') : undefined;
}

/** The same, counted already. */
export function keepCounted(
  { counts, seen }: Pick<Keeping, 'counts' | 'seen'>,
  parent: DirNode,
  below: Below,
  why: 'unchanged' | 'kept',
): DirNode {
  seen[why] += below.files;
  countKeptDir(counts, below);
  return parent;
}

/** Keeps the parent's copies of what the listing names in a problem or as something else, and of all that it does not name while it is incomplete. */
export async function keepUnread(
  run: Run,
  { path, parentNodes }: { path: string; parentNodes: ReadonlyMap<string, Node> | undefined },
  { members, problems, isIncomplete, others = [] }: Listing,
): Promise<Node[]> {
  if (problems.length === 0 && others.length === 0 && !isIncomplete) return [];
  const kept: Node[] = [];
  const left = new Map<string, Node>();
  for await (const piece of piecesOf(parentNodes ?? [])) for (const [name, node] of piece) left.set(name, node);
  const keepNode = async (node: Node | undefined, problem: Problem) => {
    const copy = node === undefined ? undefined : await keep(run, node);
    if (copy !== undefined) kept.push(copy);
    const folder = node?.type === 'dir' && { folder: true as const };
    run.problems.push({ root: run.root.name, ...problem, kept: copy !== undefined, ...folder });
  };
  for await (const piece of piecesOf(members)) for (const { name } of piece) left.delete(name);
  for await (const piece of piecesOf(problems))
    for (const { name, ...problem } of piece) {
      const node = name === undefined ? undefined : left.get(name);
      if (node !== undefined) left.delete(node.name);
      await keepNode(node, problem);
    }
  for await (const piece of piecesOf(others))
    for (const name of piece) {
      const node = left.get(name);
      if (node === undefined) continue;
      left.delete(name);
      await keepNode(node, { path: pathIn(path, name), code: 'source/malformed', message: isOther });
    }
  if (!isIncomplete) return kept;
  const message = 'The listing of its folder is incomplete and does not name it; it may still be there.';
  for await (const piece of piecesOf(left.values()))
    for (const node of piece)
      await keepNode(node, { path: pathIn(path, node.name), code: 'source/malformed', message });
  return kept;
}

const isOther = 'It is still listed, but no longer as what it was: what it was is kept.';

/** The parent's node with all below it, where the repository still holds all of it. */
export async function keep(keeping: Keeping, node: Node): Promise<Node | undefined> {
  if (node.type === 'unreadable') return undefined;
  if (node.type === 'dir') return keepFolder(keeping, node);
  return node.type === 'file' ? keepFile(keeping, node, 'kept') : node;
}
