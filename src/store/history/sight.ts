import { createHash } from 'node:crypto';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { nodeNamed } from '../restorer/find-place.ts';
import { type Budget, readWithin } from './budget.ts';
import type { History, Sight } from './history.ts';

/**
 * What is seen at the path below a tree; null where nothing is there, undefined where that is not known: the budget did not
 * reach, or a folder is damaged.
 */
export async function sightAt(
  history: Pick<History, 'repository' | 'sights'>,
  tree: TreeId,
  names: readonly string[],
  budget: Budget,
): Promise<Sight | null | undefined> {
  const [name, ...rest] = names;
  if (name === undefined) return { type: 'dir', content: tree };
  const key = `${tree}/${names.join('/')}`;
  const known = history.sights.get(key);
  if (known !== undefined) return known;
  const nodes = await readWithin(budget, history.repository, tree);
  if (typeof nodes === 'string') return undefined;
  const node = nodeNamed(nodes, name);
  const sight = await sightBelow(history, node, rest, budget);
  if (sight !== undefined) history.sights.set(key, sight, 1);
  return sight;
}

async function sightBelow(
  history: Pick<History, 'repository' | 'sights'>,
  node: Node | undefined,
  rest: readonly string[],
  budget: Budget,
): Promise<Sight | null | undefined> {
  if (node === undefined) return null;
  if (rest.length === 0) return sightOf(node);
  return node.type === 'dir' ? sightAt(history, node.subtree, rest, budget) : null;
}

/** The node in short. */
function sightOf(node: Node): Sight {
  const { type, mtime } = node;
  return node.type === 'file'
    ? { type, mtime, content: contentOf(node), size: node.size }
    : { type, mtime, content: contentOf(node) };
}

/** The same text for nodes of the same type and content, whatever their names, times and permissions. */
export function contentOf(node: Node): string {
  switch (node.type) {
    case 'dir':
      return node.subtree;
    case 'file':
      return node.content.length === 1 ? (node.content[0] ?? '') : digestOf(node.content.join());
    case 'symlink':
      return `to ${node.linktarget_raw ?? node.linktarget}`;
    default:
      return 'device' in node ? String(node.device ?? '') : '';
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
