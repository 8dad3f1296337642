import { AppError } from '../../errors.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { ReadableRepository } from './contract.ts';

/**
 * How much of a snapshot one restore, or one archive, goes through. Folders that share each other, level by level, hold more files than can be
 * counted, though each is stored once.
 */
export interface Extent {
  /**
   * The nodes of a folder that is so many folders down, which count each time that it is come to. Throws `restore/too-large` where that is further down
   * than anything reaches, or with them there would be more than may be; they do not count then. Throws `repository/damaged`.
   */
  nodesOf(tree: TreeId, depth: number): Promise<readonly Node[]>;
}

/** Deeper than anything that systems restore, or pages show. */
const deepest = 1_000;

/** Begins to count; without `mostEntries` there may be any number. */
export function openExtent(
  { loadTree }: Pick<ReadableRepository, 'loadTree'>,
  mostEntries = Number.POSITIVE_INFINITY,
): Extent {
  let entries = 0;
  return {
    nodesOf: async (tree, depth) => {
      if (depth > deepest) throw tooLarge(`it is more than ${deepest} folders down`);
      const { nodes } = await loadTree(tree);
      if (entries + nodes.length > mostEntries)
        throw tooLarge(`there would be more than ${mostEntries} files and folders with it`);
      entries += nodes.length;
      return nodes;
    },
  };
}

/** Of a folder whose content is left out. */
export function tooLarge(why: string): AppError {
  return new AppError(
    'restore/too-large',
    `What is in this folder is left out: ${why}. Restore it separately, or a part of it.`,
  );
}
