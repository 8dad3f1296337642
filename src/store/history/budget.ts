import { isAppError } from '../../errors.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { ReadableRepository } from '../restorer/contract.ts';

/** How much reading one page may ask for: entries of folders. Whoever runs out of it says so, and stops. */
export interface Budget {
  /** Whether something is left; throws the signal's reason once the reader is gone. */
  left(): boolean;
  /** Counts a folder with this many entries. */
  spend(entries: number): void;
  /** Folders that could not be read because they are damaged. */
  damaged: number;
}

/** A read from the store costs as much as this many entries. */
const perFolder = 20;

/** A budget of this many entries. */
export function openBudget(entries: number, signal?: AbortSignal): Budget {
  let rest = entries;
  return {
    damaged: 0,
    left: () => {
      signal?.throwIfAborted();
      return rest > 0;
    },
    spend: (some) => {
      rest -= some + perFolder;
    },
  };
}

/** The nodes of a folder, unless the budget has ended; a damaged one is noted there, since one folder of one night must not hide all others. */
export async function readWithin(
  budget: Budget,
  { loadTree }: Pick<ReadableRepository, 'loadTree'>,
  tree: TreeId,
): Promise<readonly Node[] | 'ended' | 'damaged'> {
  if (!budget.left()) return 'ended';
  try {
    const { nodes } = await loadTree(tree);
    budget.spend(nodes.length);
    return nodes;
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
    budget.spend(0);
    budget.damaged += 1;
    return 'damaged';
  }
}
