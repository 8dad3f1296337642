import { AppError } from '../../errors.ts';
import { shownName } from '../../file-name.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { ReadableRepository } from './contract.ts';

/** The root of a snapshot, or a node in it. */
export type Place = { readonly type: 'root'; readonly subtree: TreeId } | Node;

/**
 * What is at the path; names are joined by '/', and the empty path (or '/') is the root. A name that is not UTF-8 is also found by
 * the form in which it is shown. Throws `repository/no-such-path`.
 */
export async function findPlace(
  repository: ReadableRepository,
  snapshot: { readonly tree: TreeId },
  path: string,
): Promise<Place> {
  let place: Place = { type: 'root', subtree: snapshot.tree };
  for (const name of path.split('/').filter((part) => part !== '')) {
    if (place.type !== 'root' && place.type !== 'dir') throw noSuchPath(path, 'is not there');
    const { nodes } = await repository.loadTree(place.subtree);
    const node = nodeNamed(nodes, name);
    if (node === undefined) throw noSuchPath(path, 'is not there');
    place = node;
  }
  return place;
}

/** The node of that name, or else the one that is shown so. */
export function nodeNamed(nodes: readonly Node[], name: string): Node | undefined {
  return nodes.find((one) => one.name === name) ?? nodes.find((one) => shownName(one.name) === name);
}

function noSuchPath(path: string, what: string): AppError {
  return new AppError('repository/no-such-path', `In this snapshot, ${shownName(path) || '/'} ${what}.`);
}
