import { type EntryChanges, greatChangeOf } from '../../domain/great-change.ts';
import { besideEntries } from '../../domain/restore-place.ts';
import type { Archived } from '../../store/archiver/archiver.ts';
import type { RootChanges } from '../../store/archiver/tally.ts';
import type { TreeId } from '../../store/format/ids.ts';
import { openBudget } from '../../store/history/budget.ts';
import { countLost } from '../../store/history/lost-content.ts';
import type { Repository } from '../../store/repository/repository.ts';

/**
 * Whether a night lost or changed so much that somebody should look: of one root, or of all of them together. What was moved or renamed in its root, as
 * messages are that their server numbers anew, is not lost: where the counts of a root look like a great loss or change, the contents that it had are
 * looked for in all of it.
 */
export async function findGreatChange(
  repository: Pick<Repository, 'loadTree'>,
  { before, archived: { tree, roots } }: { before: TreeId; archived: Pick<Archived, 'tree' | 'roots'> },
  signal: AbortSignal,
): Promise<'loss' | 'change' | undefined> {
  const suspects = new Set(roots.filter(mayBeGreat).map(({ name }) => name));
  if (suspects.size === 0) return undefined;
  const [former, latter] = [await subtreesOf(repository, before), await subtreesOf(repository, tree)];
  const measured: EntryChanges[] = [];
  for (const root of roots) {
    const trees = { before: former.get(root.name), after: latter.get(root.name) };
    const asked = { beside: besideEntries[root.name], mostLost };
    const lost = suspects.has(root.name)
      ? await countLost(repository, trees, asked, openBudget(mostEntries, signal))
      : undefined;
    measured.push(lost ?? root);
  }
  const changes = [...measured, sumOf(measured)].map(greatChangeOf);
  return changes.find((change) => change === 'loss') ?? changes.find((change) => change !== undefined);
}

/** Beyond these, what is gone from its place counts as lost: there is no time to read it all, or no memory. */
export const mostEntries = 4_000_000;
export const mostLost = 250_000;

/** By the counts alone, in which what is kept beside the entries of a folder counts as one of them: at most one for each folder. */
function mayBeGreat({ name, before, gone, changed, folders }: RootChanges): boolean {
  const beside = besideEntries[name] === undefined ? 0 : folders + gone;
  return gone + changed > 0 && 2 * (gone + changed) >= before - beside;
}

/** The folders at the top of a snapshot by their names. */
export async function subtreesOf(
  { loadTree }: Pick<Repository, 'loadTree'>,
  tree: TreeId,
): Promise<Map<string, TreeId>> {
  const { nodes } = await loadTree(tree);
  return new Map(nodes.flatMap((node) => (node.type === 'dir' ? [[node.name, node.subtree] as const] : [])));
}

function sumOf(all: readonly EntryChanges[]): EntryChanges {
  const sum = (one: keyof EntryChanges) => all.reduce((total, changes) => total + changes[one], 0);
  return { before: sum('before'), gone: sum('gone'), changed: sum('changed') };
}
