import type { TreeId } from '../format/ids.ts';
import { type Budget, readWithin } from './budget.ts';
import type { History, Weight } from './history.ts';

/** Counts the files below a tree; undefined where the budget did not reach, or a folder is damaged. What was counted is remembered. */
export async function weigh(
  history: Pick<History, 'repository' | 'weights'>,
  tree: TreeId,
  budget: Budget,
): Promise<Weight | undefined> {
  const known = history.weights.get(tree);
  if (known !== undefined) return known;
  const nodes = await readWithin(budget, history.repository, tree);
  if (typeof nodes === 'string') return undefined;
  let [files, bytes] = [0, 0];
  let isWhole = true;
  for (const node of nodes) {
    if (node.type === 'file') {
      files += 1;
      bytes += node.size;
    } else if (node.type === 'dir') {
      const below = await weigh(history, node.subtree, budget);
      if (below === undefined) isWhole = false;
      files += below?.files ?? 0;
      bytes += below?.bytes ?? 0;
    }
  }
  if (!isWhole) return undefined;
  const weight = { files, bytes };
  history.weights.set(tree, weight, 1);
  return weight;
}
