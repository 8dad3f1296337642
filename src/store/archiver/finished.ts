import { compareNames } from '../../file-name.ts';
import type { FileNode, Node } from '../format/node.ts';
import type { JournalEntry } from './journal.ts';
import { pathIn } from './nodes.ts';

/**
 * What was finished of a tree that is being archived, by the folders' paths from the top of the snapshot. Of a folder that was finished as
 * a whole only its node is kept: all else is in its tree.
 */
export interface FinishedNodes {
  readonly isEmpty: boolean;
  nodesIn(folder: string): ReadonlyMap<string, Node> | undefined;
  /** The beginning of a file. */
  begun(folder: string, name: string): FileNode | undefined;
  add(entry: JournalEntry): void;
  /** All of it; folders before what is in them. */
  entries(): Generator<JournalEntry>;
}

/** Starts empty; nodes are added as journals are read. */
export function openFinishedNodes(): FinishedNodes {
  const folders = new Map<string, Map<string, Node>>();
  const beginnings = new Map<string, { folder: string; node: FileNode }>();

  function addNode(folder: string, node: Node): void {
    const nodes = folders.get(folder) ?? new Map<string, Node>();
    folders.set(folder, nodes.set(node.name, node));
    if (node.type === 'dir') folders.delete(pathIn(folder, node.name));
    else if (beginnings.size > 0) beginnings.delete(pathIn(folder, node.name));
  }

  /** What follows no beginning that is known here is of no use. */
  function addBeginning(folder: string, node: FileNode, after: number): void {
    const path = pathIn(folder, node.name);
    const before = after === 0 ? [] : beginnings.get(path)?.node.content;
    if (before?.length !== after) return;
    beginnings.set(path, { folder, node: { ...node, content: [...before, ...node.content] } });
  }

  return {
    get isEmpty() {
      return folders.size === 0 && beginnings.size === 0;
    },
    nodesIn: (folder) => folders.get(folder),
    begun: (folder, name) => (beginnings.size === 0 ? undefined : beginnings.get(pathIn(folder, name))?.node),
    add(entry) {
      if ('node' in entry) addBeginning(entry.folder, entry.node, entry.after);
      else for (const node of entry.nodes) addNode(entry.folder, node);
    },
    *entries() {
      const sorted = [...folders].toSorted(([one], [other]) => compareNames(one, other));
      for (const [folder, nodes] of sorted) yield { folder, nodes: [...nodes.values()] };
      for (const { folder, node } of beginnings.values()) yield { folder, node, after: 0 };
    },
  };
}
