import { recordName } from '../../domain/restore-place.ts';
import { piecesOf } from '../../pieces.ts';
import type { TreeId } from '../format/ids.ts';
import { isSafeName } from '../format/tree.ts';
import { type OddNames, openOddNames } from '../restorer/odd-names.ts';
import { type Budget, readWithin } from './budget.ts';
import type { History, Weight } from './history.ts';

/**
 * Counts the files below a tree, and the names that not every system can hold; undefined where the budget did not reach, or a folder is damaged.
 * What was counted is remembered.
 */
export async function weigh(
  history: Pick<History, 'repository' | 'weights'>,
  tree: TreeId,
  budget: Budget,
): Promise<Weight | undefined> {
  const known = history.weights.get(tree);
  if (known !== undefined) return known;
  const nodes = await readWithin(budget, history.repository, tree);
  if (typeof nodes === 'string') return undefined;
  const odd = gatherOddNames();
  const oddityOf = openOddNames();
  let [files, bytes] = [0, 0];
  const records = { files: 0, bytes: 0 };
  let isWhole = true;
  for await (const piece of piecesOf(nodes))
    for (const node of piece) {
      const oddity = isSafeName(node.name) ? oddityOf(node.name) : undefined;
      if (oddity !== undefined) odd.add({ count: 1, named: [{ path: node.name, ...oddity }] });
      if (node.type === 'file') {
        files += 1;
        bytes += node.size;
        if (node.name === recordName) {
          records.files += 1;
          records.bytes += node.size;
        }
      } else if (node.type === 'dir') {
        const below = await weigh(history, node.subtree, budget);
        if (below === undefined) isWhole = false;
        files += below?.files ?? 0;
        bytes += below?.bytes ?? 0;
        records.files += below?.records?.files ?? 0;
        records.bytes += below?.records?.bytes ?? 0;
        if (below?.odd !== undefined) odd.add(below.odd, `${node.name}/`);
      }
    }
  if (!isWhole) return undefined;
  const weight = { files, bytes, odd: odd.all(), ...(records.files > 0 && { records }) };
  history.weights.set(tree, weight, 1);
  return weight;
}

/** How many are named. */
const mostNamed = 10;

function gatherOddNames() {
  const named: OddNames['named'][number][] = [];
  let count = 0;
  return {
    add: (odd: OddNames, folder = '') => {
      count += odd.count;
      const left = mostNamed - named.length;
      for (const one of odd.named.slice(0, left)) named.push({ ...one, path: folder + one.path });
    },
    /** Undefined where there are none, as nearly everywhere: it is remembered of each folder. */
    all: (): OddNames | undefined => (count === 0 ? undefined : { count, named }),
  };
}
