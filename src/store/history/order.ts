import { compareNames } from '../../file-name.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { timestampMs } from '../format/timestamp.ts';
import type { History } from './history.ts';

export const orders = ['name', 'size', 'changed'] as const;
export type Order = (typeof orders)[number];

/** As people sort names: without regard to case and accents first, and numbers by their value. */
const natural = new Intl.Collator('en', { numeric: true });

/**
 * The nodes of a folder for people: folders first, then the rest, each by their names; or the largest, or what changed last, first.
 * What is equal stands by its name.
 */
export function orderNodes(nodes: readonly Node[], order: Order): readonly Node[] {
  const rank = (node: Node) => (node.type === 'dir' ? 0 : 1);
  const size = (node: Node) => (node.type === 'file' ? node.size : 0);
  const changed = new Map(order === 'changed' ? nodes.map((node) => [node, timestampMs(node.mtime) || 0]) : []);
  const by: Record<Order, (a: Node, b: Node) => number> = {
    name: () => 0,
    size: (a, b) => size(b) - size(a),
    changed: (a, b) => (changed.get(b) ?? 0) - (changed.get(a) ?? 0),
  };
  const compare = by[order];
  return nodes.toSorted(
    (a, b) => rank(a) - rank(b) || compare(a, b) || natural.compare(a.name, b.name) || compareNames(a.name, b.name),
  );
}

/** The nodes of a tree in this order; sorted once for all who look at them in the next minutes. Throws `repository/damaged`. */
export async function orderedFolder(
  { repository, ordered }: Pick<History, 'repository' | 'ordered'>,
  tree: TreeId,
  order: Order,
): Promise<readonly Node[]> {
  const key = `${tree} ${order}`;
  const known = ordered.get(key);
  if (known !== undefined) return known;
  const nodes = orderNodes((await repository.loadTree(tree)).nodes, order);
  ordered.set(key, nodes, nodes.length);
  return nodes;
}
