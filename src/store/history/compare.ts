import { compareNames } from '../../file-name.ts';
import { piecesOf, sortedInPieces } from '../../pieces.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { ReadableRepository } from '../restorer/contract.ts';
import { type Budget, readWithin } from './budget.ts';
import { contentOf } from './sight.ts';

/** An entry that differs between two states of a folder. Of a folder that came or went, only the folder itself. */
export interface Change {
  /** Below the folders that were compared. */
  readonly path: string;
  readonly what: 'new' | 'changed' | 'gone';
  /** As it is now, or was last where it is gone. */
  readonly node: Node;
  /** As it was, where it is not new. */
  readonly before?: Node;
}

/**
 * Goes through what differs between an earlier and a later folder, in the order of the names' bytes; folders that are the same are not read.
 * Undefined stands for a folder that is not there. Returns whether all was gone through before the budget ran out; damaged folders
 * are left out.
 */
export async function* compareTrees(
  repository: Pick<ReadableRepository, 'loadTree'>,
  { before, after }: { readonly before: TreeId | undefined; readonly after: TreeId | undefined },
  budget: Budget,
  folder = '',
): AsyncGenerator<Change, boolean> {
  if (before === after) return true;
  const older = before === undefined ? [] : await readWithin(budget, repository, before);
  const newer = after === undefined ? [] : await readWithin(budget, repository, after);
  if (older === 'ended' || newer === 'ended') return false;
  if (older === 'damaged' || newer === 'damaged') return true;
  for await (const { name, was, is } of pairs(older, newer)) {
    const path = folder + name;
    if (was?.type === 'dir' && is?.type === 'dir') {
      const trees = { before: was.subtree, after: is.subtree };
      if (!(yield* compareTrees(repository, trees, budget, `${path}/`))) return false;
    } else if (was === undefined) {
      if (is !== undefined) yield { path, what: 'new', node: is };
    } else if (is === undefined) yield { path, what: 'gone', node: was, before: was };
    else if (was.type !== is.type || contentOf(was) !== contentOf(is)) {
      yield { path, what: 'changed', node: is, before: was };
    }
  }
  return true;
}

interface Pair {
  readonly name: string;
  readonly was?: Node | undefined;
  readonly is?: Node | undefined;
}

/** The nodes of both by their names. */
async function* pairs(older: readonly Node[], newer: readonly Node[]): AsyncGenerator<Pair> {
  const [was, is] = [await byName(older), await byName(newer)];
  const all = new Set<string>();
  for (const named of [was, is])
    for await (const piece of piecesOf(named.keys())) for (const name of piece) all.add(name);
  const names = await sortedInPieces(all, compareNames);
  for await (const piece of piecesOf(names))
    for (const name of piece) yield { name, was: was.get(name), is: is.get(name) };
}

async function byName(nodes: readonly Node[]): Promise<ReadonlyMap<string, Node>> {
  const named = new Map<string, Node>();
  for await (const piece of piecesOf(nodes)) for (const node of piece) named.set(node.name, node);
  return named;
}
