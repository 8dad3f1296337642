import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { ReadableRepository } from '../restorer/contract.ts';
import { type Budget, readWithin } from './budget.ts';
import { compareTrees } from './compare.ts';

/** An entry that differs between two snapshots, by restic's signs: added, removed, modified in its content, of another type. */
export interface Difference {
  readonly path: string;
  readonly modifier: '+' | '-' | 'M' | 'T';
  /** As it is now, or was where it is removed. */
  readonly node: Node;
}

/** Every entry that differs, those below a folder that came or went too, in the order of their names' bytes. Damaged folders are left out. */
export async function* differencesOf(
  repository: Pick<ReadableRepository, 'loadTree'>,
  trees: { readonly before: TreeId; readonly after: TreeId },
  budget: Budget,
): AsyncGenerator<Difference> {
  for await (const { path, what, node, before } of compareTrees(repository, trees, budget)) {
    if (what === 'changed') yield { path, modifier: before?.type === node.type ? 'M' : 'T', node };
    else yield* everyEntry(repository, { path, modifier: what === 'new' ? '+' : '-', node }, budget);
  }
}

async function* everyEntry(
  repository: Pick<ReadableRepository, 'loadTree'>,
  difference: Difference,
  budget: Budget,
): AsyncGenerator<Difference> {
  yield difference;
  const { path, modifier, node } = difference;
  if (node.type !== 'dir') return;
  const nodes = await readWithin(budget, repository, node.subtree);
  if (typeof nodes === 'string') return;
  for (const below of nodes)
    yield* everyEntry(repository, { path: `${path}/${below.name}`, modifier, node: below }, budget);
}
