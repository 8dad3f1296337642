import { compareNames } from '../../file-name.ts';
import { sortedInPieces } from '../../pieces.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { timestampMs } from '../format/timestamp.ts';
import type { History } from './history.ts';

/** By what a folder can be sorted. */
export const orders = ['name', 'size', 'changed'] as const;
export type Order = (typeof orders)[number];

/**
 * The nodes of a folder for people: folders first, then the rest, each by their names; or the largest, or what changed last, first.
 * What is equal stands by its name. Names are sorted as people of the locale do: without regard to case and accents first, and numbers by
 * their value.
 */
export async function orderNodes(nodes: readonly Node[], order: Order, locale: string): Promise<readonly Node[]> {
  const natural = new Intl.Collator(locale, { numeric: true });
  const rank = (node: Node) => (node.type === 'dir' ? 0 : 1);
  const size = (node: Node) => (node.type === 'file' ? node.size : 0);
  const changed = new Map(order === 'changed' ? nodes.map((node) => [node, timestampMs(node.mtime) || 0]) : []);
  const by: Record<Order, (a: Node, b: Node) => number> = {
    name: () => 0,
    size: (a, b) => size(b) - size(a),
    changed: (a, b) => (changed.get(b) ?? 0) - (changed.get(a) ?? 0),
  };
  const compare = by[order];
  return sortedInPieces(
    nodes,
    (a, b) => rank(a) - rank(b) || compare(a, b) || natural.compare(a.name, b.name) || compareNames(a.name, b.name),
  );
}

/** The nodes of a tree in this order; sorted once for all who look at them in the next minutes. Throws `repository/damaged`. */
export async function orderedFolder(
  { repository, ordered }: Pick<History, 'repository' | 'ordered'>,
  tree: TreeId,
  order: Order,
  locale: string,
): Promise<readonly Node[]> {
  const key = `${tree} ${order} ${locale}`;
  const known = ordered.get(key);
  if (known !== undefined) return known;
  const nodes = await orderNodes((await repository.loadTree(tree)).nodes, order, locale);
  ordered.set(key, nodes, nodes.length);
  return nodes;
}
