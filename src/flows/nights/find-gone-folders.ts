import { besideEntries } from '../../domain/restore-place.ts';
import type { Archived } from '../../store/archiver/archiver.ts';
import type { EmptiedFolder, RootChanges } from '../../store/archiver/tally.ts';
import type { TreeId } from '../../store/format/ids.ts';
import type { DirNode, Node } from '../../store/format/node.ts';
import { type Budget, openBudget, readWithin } from '../../store/history/budget.ts';
import { countLostFolders } from '../../store/history/lost-content.ts';
import type { Repository } from '../../store/repository/repository.ts';
import type { ReadableRepository } from '../../store/restorer/contract.ts';
import { readSpecialUse } from '../restores/mailbox-record.ts';
import { mostEntries, mostLost, subtreesOf } from './find-great-change.ts';

/** A folder, calendar, address book or mailbox of which nothing is left. */
export interface GoneFolder {
  /** From the top of the snapshot. */
  readonly path: string;
  /** What it held that is nowhere else in its root. */
  readonly entries: number;
}

/**
 * What is gone as a whole since the snapshot before, the largest first: what was only moved or renamed is not, nor what was in a mailbox for the trash
 * or junk, which are emptied by design.
 */
export async function findGoneFolders(
  repository: Repository,
  { before, archived: { tree, roots } }: { before: TreeId; archived: Pick<Archived, 'tree' | 'roots'> },
  signal: AbortSignal,
): Promise<GoneFolder[]> {
  if (roots.every(({ emptied }) => emptied.length === 0)) return [];
  const [former, latter] = [await subtreesOf(repository, before), await subtreesOf(repository, tree)];
  const found: GoneFolder[] = [];
  for (const { name, emptied } of roots) {
    const budget = openBudget(mostEntries, signal);
    const folders = await withoutRefuse(repository, former.get(name), { name, emptied }, budget);
    if (folders.length === 0) continue;
    const asked = { beside: besideEntries[name], mostLost };
    const counts = await countLostFolders(repository, { folders, tree: latter.get(name) }, asked, budget);
    for (const [at, { path }] of folders.entries()) {
      const entries = counts[at] ?? 0;
      if (entries > 0) found.push({ path: `${name}/${path}`, entries });
    }
  }
  return found.sort((one, other) => other.entries - one.entries);
}

async function withoutRefuse(
  repository: ReadableRepository,
  root: TreeId | undefined,
  { name, emptied }: Pick<RootChanges, 'name' | 'emptied'>,
  budget: Budget,
): Promise<readonly EmptiedFolder[]> {
  if (name !== 'mail' || root === undefined) return emptied;
  const folders: EmptiedFolder[] = [];
  for (const folder of emptied)
    if (!(await isInRefuse(repository, { root, path: folder.path }, budget))) folders.push(folder);
  return folders;
}

/** Whether a mailbox was one for the trash or junk, or below one (RFC 6154). */
async function isInRefuse(
  repository: ReadableRepository,
  { root, path }: { root: TreeId; path: string },
  budget: Budget,
): Promise<boolean> {
  const nodesIn = async (node: Pick<DirNode, 'subtree'>): Promise<readonly Node[]> => {
    const nodes = await readWithin(budget, repository, node.subtree);
    return typeof nodes === 'string' ? [] : nodes;
  };
  let nodes = await nodesIn({ subtree: root });
  for (const name of path.split('/')) {
    const node = nodes.find((one) => one.name === name);
    if (node?.type !== 'dir') return false;
    nodes = await nodesIn(node);
    const uses = await readSpecialUse(repository, nodes);
    if (uses.some((use) => /^\\(Trash|Junk)$/i.test(use))) return true;
  }
  return false;
}
