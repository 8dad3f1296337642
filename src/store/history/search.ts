import { piecesOf } from '../../pieces.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { SavedSnapshot } from '../repository/snapshots.ts';
import { type Budget, readWithin } from './budget.ts';
import type { History } from './history.ts';
import { sightAt } from './sight.ts';

/** An entry whose name holds the words that were looked for. */
export interface Found {
  readonly path: string;
  /** As it was last, */
  readonly node: Node;
  /** in this snapshot. */
  readonly last: SavedSnapshot;
}

/** How far a search came. */
export interface Searched {
  /** Snapshots that were gone through completely. */
  readonly nights: number;
  /** The first that was not; undefined where all were. */
  readonly stoppedAt?: SavedSnapshot;
}

/**
 * Looks for entries below a path whose names contain the text, whatever the case: newest snapshot first, each path once. Folders that were the
 * same in a newer snapshot are not read again. Returns how far it came before the budget ran out; damaged folders are
 * left out.
 */
export async function* searchNames(
  history: History,
  snapshots: readonly SavedSnapshot[],
  { text, path }: { readonly text: string; readonly path: string },
  budget: Budget,
): AsyncGenerator<Found, Searched> {
  const search: Search = { history, wanted: folded(text), budget, walked: new Set(), found: new Set() };
  const names = path.split('/').filter((name) => name !== '');
  for (const [nights, saved] of snapshots.entries()) {
    const place = await sightAt(history, saved.snapshot.tree, names, budget);
    if (place === undefined && !budget.left()) return { nights, stoppedAt: saved };
    if (place?.type !== 'dir') continue;
    const folder = path === '' ? '' : `${names.join('/')}/`;
    if (!(yield* walk(search, saved, place.content as TreeId, folder))) return { nights, stoppedAt: saved };
  }
  return { nights: snapshots.length };
}

interface Search {
  readonly history: Pick<History, 'repository'>;
  readonly wanted: string;
  readonly budget: Budget;
  /** Folders that were gone through, by path and tree. */
  readonly walked: Set<string>;
  /** Paths that were found. */
  readonly found: Set<string>;
}

async function* walk(
  search: Search,
  last: SavedSnapshot,
  tree: TreeId,
  folder: string,
): AsyncGenerator<Found, boolean> {
  const key = `${tree}${folder}`;
  if (search.walked.has(key)) return true;
  const nodes = await readWithin(search.budget, search.history.repository, tree);
  if (nodes === 'ended') return false;
  if (nodes === 'damaged') return true;
  for await (const piece of piecesOf(nodes))
    for (const node of piece) {
      const path = folder + node.name;
      if (!folded(node.name).includes(search.wanted) || search.found.has(path)) continue;
      search.found.add(path);
      yield { path, node, last };
    }
  for (const node of nodes) {
    if (node.type === 'dir' && !(yield* walk(search, last, node.subtree, `${folder}${node.name}/`))) return false;
  }
  search.walked.add(key);
  return true;
}

/** The same text for names that differ in case only, or in how their accents are spelled. */
function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
